"""What a bookkeeper reads: numbers of invoices and credit notes."""

from audit.models.payments import Payment, Refund


def invoice_number(payment: Payment) -> str:
    """As it stands on the receipt; empty before the payment."""
    return "" if payment.invoice_number is None else f"GL-{payment.invoice_number:06d}"


def credit_note(refund: Refund) -> str:
    """As it stands on the receipt; empty for a refund of money that no invoice asked for."""
    return "" if refund.credit_note is None else f"GL-C-{refund.credit_note:06d}"
