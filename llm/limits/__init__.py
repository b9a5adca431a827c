"""Quotas, budgets, prices, and what providers say of them. Imports ledger, configuration, models."""
