"""All that is stored about one order, as one JSON file: for a customer who asks what we know."""

from typing import Any

from django.db.models import Model
from django.http import HttpResponse, JsonResponse

from audit.confidential import private as confidential
from audit.models import Order
from audit.scans import service as scans

FORMAT = "guardlabs-order-1"
OMITTED = {"order", "scan"}  # said by where the row stands in the file


def collected(order: Order) -> dict[str, Any]:
    """The order with its history, letters, payment news, and the scan that the customer tied to it."""
    scan = order.scan
    return {
        "format": FORMAT,
        "order": _row(order),
        "history": [_row(each) for each in order.events.order_by("pk")],
        "mails": [_row(each) for each in order.mails.order_by("pk")],
        "payment_news": [_row(each) for each in order.stripe_events.order_by("received_at")],
        "scan": None
        if scan is None
        else {
            "token": scans.scan_token(scan),
            "made_at": scan.created_at,
            "answers": scan.answers,
            "score": scan.score,
            "reports": [
                {"finished_at": each.finished_at, "written_by": each.provider, "text": each.markdown}
                for each in scan.reports.order_by("pk")
            ],
        },
    }


def response(order: Order) -> HttpResponse:
    """The file, to be downloaded and kept by no cache."""
    answer = JsonResponse(collected(order), json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="{order.code}.json"'
    return confidential(answer)


def _row(row: Model) -> dict[str, Any]:
    """Every column of a row, those that no form shows among them."""
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in OMITTED
    }
