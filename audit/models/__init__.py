"""What the audit stores. Imports scoring alone."""

from audit.models.orders import Mail, Order, OrderEvent, StripeEvent
from audit.models.payments import Counter, Dispute, Payment, Refund
from audit.models.scans import Incident, Option, Question, Report, Scan

__all__ = [
    "Counter", "Dispute", "Incident", "Mail", "Option", "Order", "OrderEvent", "Payment", "Question", "Refund",
    "Report", "Scan", "StripeEvent",
]  # fmt: skip
