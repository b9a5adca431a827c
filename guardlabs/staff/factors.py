"""The second factor of a member of staff: an authenticator app, and codes on paper for when it is lost."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

NAME, CODES_NAME, CODES = "app", "codes", 10


def is_enforced() -> bool:
    """Whether nobody gets into the admin without one (STAFF_2FA)."""
    return bool(settings.STAFF_2FA)


def has_one(user: AbstractBaseUser) -> bool:
    """Whether logging in asks this user for a code."""
    return any(True for _ in devices_for_user(user, confirmed=True))


def begin(user: Any) -> TOTPDevice:
    """The app that the user is about to add; the same one until a code of it has come back."""
    device, _ = TOTPDevice.objects.get_or_create(user=user, name=NAME, confirmed=False)
    return device


def confirm(device: TOTPDevice, code: str) -> list[str] | None:
    """Makes the app the user's second factor, if the code is its; returns fresh recovery codes, else None."""
    if not device.verify_token(code):
        return None
    with transaction.atomic():
        TOTPDevice.objects.filter(user=device.user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        return renew_codes(device.user)


def renew_codes(user: Any) -> list[str]:
    """New recovery codes, each good for one login; the old ones are void. Shown once, kept by whoever it is."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name=CODES_NAME)
        codes = [StaticToken.random_token() for _ in range(CODES)]
        device.token_set.bulk_create([StaticToken(device=device, token=code) for code in codes])
    return codes


def remove(user: Any) -> bool:
    """Takes the second factor away; returns whether there was one."""
    with transaction.atomic():
        removed = TOTPDevice.objects.filter(user=user).delete()[0]
        return bool(removed + StaticDevice.objects.filter(user=user).delete()[0])
