"""What the audit stores. Imports scoring alone."""

from audit.models.orders import Mail, Order, OrderEvent, StripeEvent
from audit.models.scans import Incident, Option, Question, Report, Scan

__all__ = ["Incident", "Mail", "Option", "Order", "OrderEvent", "Question", "Report", "Scan", "StripeEvent"]
