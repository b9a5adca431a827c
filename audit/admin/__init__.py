"""The audit in the stock admin: texts are edited, numbers read, orders worked on. Imports all other rooms but pages."""

from audit.admin import bank, money, orders, scans

__all__ = ["bank", "money", "orders", "scans"]  # they register what they show
