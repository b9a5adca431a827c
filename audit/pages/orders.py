"""The pages of the manual audit. Like all public pages they set no cookie, so their forms carry no CSRF token.

What a forged request could do is little, and is stopped by what browsers say of themselves (Sec-Fetch-Site):
it could order in somebody's name, unpaid, within the limits per network and per address. Everything else needs
the order's secret link, which another site does not know.
"""

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import formats, throttle
from audit.confidential import private
from audit.models import Order
from audit.orders import deliverable, form, links, payments, terms, withdrawal
from audit.orders import service as orders
from audit.orders.money import receipts
from audit.pages.context import alternates
from audit.pages.private import are_you_sure, from_elsewhere
from audit.presentation import orders as order_pages


# -- ordering ----------------------------------------------------------------------------------------
@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest) -> HttpResponse:
    """The offer with its form. A result page posts its token alone: that opens the form, and orders nothing."""
    if request.method != "POST":
        return _form(request, sent=form.Sent())
    if "switch" in request.POST:  # another language
        return _form(request, sent=form.unsent(request.POST))
    if "email" not in request.POST:
        return _form(request, sent=form.of_scan(request.POST.get("scan_link", "")))
    if from_elsewhere(request):
        raise PermissionDenied
    sent = form.read(request.POST)
    if sent.errors:
        return _form(request, sent=sent, problem=_("Please look at these fields again"), status=400)
    if wait := throttle.order_wait_s(request):
        return _too_many(request, sent=sent, wait_s=wait)
    try:
        made = orders.create(
            lang=get_language() or settings.LANGUAGE_CODE,
            email=sent.email,
            time_zone=sent.time_zone,
            message=sent.message,
            scan=sent.scan,
            method=payments.method(),
            cleared=sent.cleared,
            begin=sent.begin,
        )
    except orders.SecretInMessage as found:
        return _form(request, sent=form.without_message(sent, found.kind), status=400)
    except orders.TooManyOpen:
        problem = _("This e-mail address has unpaid orders already. Their links are in its inbox.")
        return _form(request, sent=sent, problem=problem, status=409)
    if made.method == Order.Method.STRIPE:
        _open_checkout(made)
    return _to_status(made)


def _too_many(request: HttpRequest, *, sent: form.Sent, wait_s: int) -> HttpResponse:
    problem = ngettext(
        "Too many orders came from this network. Please send the form again in %(count)d minute.",
        "Too many orders came from this network. Please send the form again in %(count)d minutes.",
        minutes := -(-wait_s // 60),
    )
    response = _form(request, sent=sent, problem=problem % {"count": minutes}, status=429)
    response["Retry-After"] = str(wait_s)
    return response


def _form(request: HttpRequest, *, sent: form.Sent, problem: str = "", status: int = 200) -> HttpResponse:
    context = {
        "sent": sent,
        "problem": problem,
        "zones": form.time_zones(),
        "price": formats.price(settings.AUDIT_PRICE_USD),
        "retention_days": settings.RETENTION_DAYS,
        "by_card": payments.method() == Order.Method.STRIPE,
        "promise_days": terms.PROMISE_DAYS,
        "follow_up_days": terms.FOLLOW_UP_DAYS,
        "message_chars": form.MESSAGE_CHARS,
    }
    if request.method == "POST":  # what is filled in goes along to another language
        context |= {"switches": alternates("audit:order"), "switch_form": "order"}
    response = render(request, "audit/order.html", context, status=status)
    return private(response) if request.method == "POST" else response


@require_safe
def sample(request: HttpRequest) -> HttpResponse:
    """What a delivered report looks like: two pages about a made-up customer."""
    return render(request, "audit/order_sample.html", {"price": formats.price(settings.AUDIT_PRICE_USD)})


# -- an order: private to whoever has its link -------------------------------------------------------
@require_safe
def status(request: HttpRequest, token: str) -> HttpResponse:
    """How the order stands. Coming back from Stripe (`?back=paid`) changes nothing: only the webhook does."""
    found = _order(token)
    page = order_pages.status(found, back="back" in request.GET, unreached="unreached" in request.GET)
    context = {"page": page, "order": found, "token": token}
    return private(render(request, "audit/order_status.html", context))


@csrf_exempt
@require_POST
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Opens a payment page if there is none (any more); the status page links to it."""
    found = _order(token)
    opened = _open_checkout(found)
    return _to_status(found, query="" if opened else "?unreached")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then cancels on POST. An order that was paid meanwhile is only shown as it stands."""
    found = _order(token)
    if request.method != "POST":
        if found.state not in orders.UNPAID or payments.is_coming(found):
            return _to_status(found)
        return are_you_sure(
            request,
            question=_("Cancel this order?"),
            consequence=_(
                "Order %(code)s ends at once and nothing is charged. You can order again at any time."
            )
            % {"code": found.code},
            confirm=_("Cancel the order"),
            keep=_("Keep the order"),
            back=_status_url(found),
        )
    with suppress(orders.NotAllowed):  # paid meanwhile: the page says how it stands
        payments.cancel(found, actor=orders.CUSTOMER)
    return _to_status(found)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then withdraws on POST. Where there is no such right (any more), the order is shown as it stands."""
    found = _order(token)
    if request.method != "POST":
        if terms.withdraw_until(found) is None:
            return _to_status(found)
        return are_you_sure(
            request,
            question=_("Withdraw from this order?"),
            consequence=_(
                "The work on order %(code)s ends at once, and you get %(price)s back the way you paid it."
            )
            % {"code": found.code, "price": receipts.price(found)},
            confirm=_("Confirm the withdrawal"),
            keep=_("Keep the order"),
            back=_status_url(found),
        )
    with suppress(orders.NotAllowed):
        withdrawal.withdraw(found)
    return _to_status(found)


@require_safe
def terms_page(request: HttpRequest) -> HttpResponse:
    """The terms of the manual audit, with the right of withdrawal and its form."""
    return render(request, "audit/terms.html", {"sections": terms.sections(), "version": terms.VERSION})


@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    found = _order(token)
    if found.paid_at is None:
        raise Http404
    context = {"order": found, "token": token, "facts": receipts.receipt(found) + receipts.seller(found)}
    return private(render(request, "audit/order_receipt.html", context))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """The delivered report. An expired link is told so (410); POST mails a new one to the order's address."""
    found, good = links.order_of_delivery(token)
    if found is None or not found.report:
        raise Http404
    if request.method == "POST":
        sent = orders.send_link(found, actor=orders.CUSTOMER)
        return private(render(request, "audit/order_link.html", {"order": found, "sent": sent}))
    if not good:
        return private(render(request, "audit/order_link.html", {"order": found, "token": token}, status=410))
    context = {"order": found, "html": deliverable.to_html(found.report), "lang": found.lang}
    context["delivered"] = receipts.moment(found, found.delivered_at)
    return private(render(request, "audit/order_report.html", context))


@csrf_exempt
@require_POST
def link(request: HttpRequest, token: str) -> HttpResponse:
    """From the status page, which knows no link to the report: it is mailed."""
    found = _order(token)
    try:
        sent = orders.send_link(found, actor=orders.CUSTOMER)
    except orders.NotAllowed:
        raise Http404 from None
    return private(render(request, "audit/order_link.html", {"order": found, "sent": sent}))


def _order(token: str) -> Order:
    found = links.order_of_status(token)
    if found is None:
        raise Http404
    return found


def _open_checkout(found: Order) -> bool:
    """Whether Stripe could be asked. If not, the status page says how the order stands, and offers to try again."""
    try:
        payments.open_checkout(found, actor=orders.CUSTOMER)
    except payments.PaymentError:
        return False
    except orders.NotAllowed:
        pass
    return True


def _to_status(found: Order, *, query: str = "") -> HttpResponse:
    return private(HttpResponseRedirect(_status_url(found) + query, status=303))


def _status_url(found: Order) -> str:
    return reverse("audit:order-status", kwargs={"token": links.status_token(found)})
