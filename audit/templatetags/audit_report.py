"""What stands under a finished report: its receipt, and the offer of a model's report in place of a template's."""

from typing import Any

from django import template

from audit.models import Scan
from audit.presentation import receipts as receipt_view
from audit.report.upgrade import upgrade as offer_of
from llm.chain import receipts

register = template.Library()


@register.inclusion_tag("audit/_receipt.html")
def report_receipt(signed: str) -> dict[str, Any]:
    """One line in plain words with a link to the page that verifies it; nothing without a receipt."""
    found = receipts.verify(signed) if signed else None
    return {
        "signed": signed,
        "receipt": receipt_view.view(found) if found else None,
        "summary": receipt_view.summary(found) if found else "",
    }


@register.inclusion_tag("audit/_upgrade.html")
def report_upgrade(scan: Scan, token: str) -> dict[str, Any]:
    """A button while a model could write the report now; a remark while one does."""
    return {"upgrade": offer_of(scan), "token": token}
