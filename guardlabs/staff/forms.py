"""The login form of the admin: name, password and, for those who have one, the code of the second factor."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_otp import match_token

from guardlabs.staff import factors, limits

# One message for every reason, so that nobody learns which part was right.
WRONG = _(
    "Name, password or code is wrong, or there were too many attempts. Try again in 15 minutes at the latest."
)


class LoginForm(AdminAuthenticationForm):
    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=32,
        help_text=_("If you have set up a second factor: from your app, or one of your recovery codes."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )
    error_messages = {**AdminAuthenticationForm.error_messages, "invalid_login": WRONG}

    def clean(self) -> dict[str, Any]:
        account = str(self.cleaned_data.get("username") or "")
        if self.request is None or not limits.claim(self.request, account):
            raise ValidationError(WRONG, code="invalid_login")
        cleaned = super().clean()
        self._second_factor()
        limits.forget(self.request, account)
        return dict(cleaned)

    def _second_factor(self) -> None:
        user: Any = self.user_cache
        if user is None or not factors.has_one(user):
            return
        device = match_token(user, (self.cleaned_data.get("code") or "").strip())
        if device is None:
            raise ValidationError(WRONG, code="invalid_login")
        user.otp_device = device  # django-otp notes it in the session as the login is made
