"""Wrong settings of this app, found when the site starts."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from audit import throttle


@register()
def check_scan_rate(**kwargs: Any) -> list[CheckMessage]:
    rate = settings.SCAN_RATE
    if rate == throttle.OFF or throttle.RATE.fullmatch(rate):
        return []
    return [
        Error(
            f"SCAN_RATE is {rate!r}, which is no rate.",
            hint="Write a number of scans and a time: 20/h, 5/m, 100/d or 3/10m; or off.",
            id="audit.E001",
        )
    ]


API_BASE = re.compile(
    r"(https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}|https?://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?"
)
MOST_USD = 10_000  # beyond it a typing error is likelier than a price


@register()
def check_price(**kwargs: Any) -> list[CheckMessage]:
    """audit.E002: AUDIT_PRICE_USD is no price."""
    if 1 <= settings.AUDIT_PRICE_USD <= MOST_USD:
        return []
    hint = f"Write whole US dollars, from 1 to {MOST_USD}."
    return [Error(f"AUDIT_PRICE_USD is {settings.AUDIT_PRICE_USD}.", hint=hint, id="audit.E002")]


@register()
def check_stripe(**kwargs: Any) -> list[CheckMessage]:
    """audit.E003–E006, W001–W002: Stripe's settings do not fit together. Says no part of any secret."""
    if not settings.STRIPE_SECRET_KEY:
        if not settings.STRIPE_WEBHOOK_SECRET:
            return []
        hint = "Set both, or neither: then orders are paid by invoice."
        return [Error("STRIPE_WEBHOOK_SECRET is set without STRIPE_SECRET_KEY.", hint=hint, id="audit.E003")]
    found: list[CheckMessage] = []
    if not re.fullmatch(r"[sr]k_[!-~]+", settings.STRIPE_SECRET_KEY):
        hint = "One word that begins with sk_ or rk_; pk_ is the publishable key, which is not used."
        found.append(Error("STRIPE_SECRET_KEY is no secret key.", hint=hint, id="audit.E004"))
    if not re.fullmatch(r"whsec_[!-~]+", settings.STRIPE_WEBHOOK_SECRET):
        hint = (
            f"Add the endpoint {settings.SITE_URL}/stripe/webhook in Stripe's dashboard and copy its signing secret "
            "(whsec_…). Without it no card payment can be confirmed."
        )
        found.append(Error("STRIPE_WEBHOOK_SECRET is missing or wrong.", hint=hint, id="audit.E005"))
    if not API_BASE.fullmatch(settings.STRIPE_API_BASE):
        hint = "https://api.stripe.com, without a path; plain http only to this machine, for tests."
        found.append(
            Error(
                "STRIPE_API_BASE is no address, or would send the key in the clear.",
                hint=hint,
                id="audit.E006",
            )
        )
    live = settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
    if settings.HTTPS and not live:
        hint = "Put the live key there before you sell."
        found.append(Warning("A public site with a test key of Stripe.", hint=hint, id="audit.W001"))
    if live and settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        hint = "Set EMAIL_URL: customers get their links by e-mail."
        found.append(Warning("Orders are paid, but e-mail goes to the console.", hint=hint, id="audit.W002"))
    return found


@register()
def check_payment_methods(**kwargs: Any) -> list[CheckMessage]:
    """audit.E007: STRIPE_PAYMENT_METHODS holds something that Stripe would refuse at each payment."""
    wrong = [name for name in settings.STRIPE_PAYMENT_METHODS if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
    if not wrong and "auto" not in settings.STRIPE_PAYMENT_METHODS:
        return []
    hint = (
        "Stripe's names, separated by commas: card,sepa_debit; or auto alone: what its dashboard switches on."
    )
    return [Error("STRIPE_PAYMENT_METHODS cannot be meant.", hint=hint, id="audit.E007")]
