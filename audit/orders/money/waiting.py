"""Payments and refunds that somebody must look after, found by what their rows say."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet, Sum

from audit.models import Payment, Refund

ANSWER_LATE = timedelta(hours=1)  # a refund that Stripe has not answered for so long waits for staff


def undecided() -> "QuerySet[Payment]":
    """Payments that may still pay their order: pages not known to be closed, money on its way or of a wrong amount."""
    open_or_coming = Q(state__in=(Payment.State.OPEN, Payment.State.ON_ITS_WAY))
    questioned = Q(use=Payment.Use.QUESTIONED) & ~Q(pk__in=returned_whole())
    return Payment.objects.filter(open_or_coming | questioned)


def returned_whole() -> "QuerySet[Payment, int]":
    """The ids of payments whose refunds that succeeded sum up to all of them."""
    done = Sum("refunds__amount", filter=Q(refunds__state=Refund.State.SUCCEEDED))
    found = Payment.objects.filter(state=Payment.State.PAID).order_by().annotate(returned_sum=done)
    return found.filter(returned_sum__gte=F("amount")).values_list("pk", flat=True)


def stuck(now: datetime) -> "QuerySet[Payment]":
    """Payments that are not ours to keep and not on their way back, and refunds that wait for an answer too long."""
    moving = Q(refunds__state__in=(Refund.State.ASKED, Refund.State.PENDING))
    late = Q(refunds__state=Refund.State.ASKED, refunds__at__lt=now - ANSWER_LATE)
    paid = Payment.objects.filter(state=Payment.State.PAID).order_by()
    coming_back = paid.filter(moving).values("pk")
    unwanted = Q(use__in=(Payment.Use.SURPLUS, Payment.Use.QUESTIONED)) & ~Q(pk__in=coming_back)
    return paid.filter(unwanted & ~Q(pk__in=returned_whole()) | Q(pk__in=paid.filter(late).values("pk")))
