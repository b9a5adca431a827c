"""Setting up the second factor. For any member of staff, also before the admin lets them in (STAFF_2FA)."""

from typing import Any

import segno
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login

from guardlabs.staff import factors


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Shows the QR code until a code of it comes back, then the recovery codes, once."""
    user: Any = request.user
    if not (user.is_authenticated and user.is_active and user.is_staff):
        return HttpResponseRedirect(f"{reverse('admin:login')}?next={reverse('admin:second_factor')}")
    has_one = factors.has_one(user)
    if has_one and not user.is_verified():
        raise PermissionDenied  # whoever has only the password may not replace the second factor
    codes: list[str] | None = None
    error = ""
    if request.method == "POST":
        if has_one and "codes" in request.POST:
            codes = factors.renew_codes(user)
            _log(user, _("Recovery codes were renewed."))
        elif not has_one:
            device = factors.begin(user)
            codes = factors.confirm(device, request.POST.get("code", "").strip())
            if codes is None:
                error = _("That is not the code that the app shows now. Is the clock of your phone right?")
            else:
                otp_login(request, device)
                update_session_auth_hash(request, user)  # a new session key for what may do more
                _log(user, _("A second factor was set up."))
    context = {
        **admin.site.each_context(request),
        "title": _("Second factor"),
        "codes": codes,
        "error": error,
    }
    if codes is None and not has_one:
        device = factors.begin(user)
        context |= {
            "qr": segno.make(device.config_url).svg_data_uri(scale=5, border=4, light="#fff"),
            "key": _words(device),
        }
    return TemplateResponse(request, "staff/second_factor.html", context, status=400 if error else 200)


def _words(device: Any) -> str:
    """The key for those who cannot scan, in groups of four."""
    from base64 import b32encode

    key = b32encode(device.bin_key).decode()
    return " ".join(key[place : place + 4] for place in range(0, len(key), 4))


def _log(user: Any, message: str) -> None:
    LogEntry.objects.log_actions(user.pk, User.objects.filter(pk=user.pk), CHANGE, message)
