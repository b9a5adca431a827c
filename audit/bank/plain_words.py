"""The same remedies in words that betray nothing: for a sheet that may lie on a desk, or be found in a search.

One entry for each question, whatever the answer was. No text here may name what it protects, a product or a
company, in any language; ``tests/test_plain_words.py`` holds the words that would. Msgids, as in ``bank.py``.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainData:
    """A heading and up to three things to do."""

    title: str
    steps: tuple[str, ...]


PLAIN: dict[str, PlainData] = {
    "seed_storage": PlainData(
        title=_("Important papers"),
        steps=(
            _("Replace papers that were photographed or scanned, and keep the new ones off every device."),
            _("Keep them in a locked place that fire and water cannot reach."),
            _("Then delete old photos, scans and notes, the trash folder included."),
        ),
    ),
    "seed_backup": PlainData(
        title=_("Second copies"),
        steps=(
            _("Keep a sealed second copy of important papers in another building."),
            _("Once a year check that each copy is complete and readable."),
        ),
    ),
    "hardware_wallet": PlainData(
        title=_("A device for important things only"),
        steps=(
            _("Buy it new from its maker and set it up yourself."),
            _("Never type this device's code into another one."),
        ),
    ),
    "hot_cold_split": PlainData(
        title=_("Not everything in one place"),
        steps=(
            _("Carry little, and keep the rest where one mistake cannot reach it."),
            _("Write down what is where, and check it twice a year."),
        ),
    ),
    "account_2fa": PlainData(
        title=_("Signing in"),
        steps=(
            _("Turn on two-step sign-in for your e-mail first, then for everything else."),
            _("Use a passkey or an app instead of text messages."),
            _("Print the backup codes and lock them away."),
        ),
    ),
    "sim_protection": PlainData(
        title=_("Phone number"),
        steps=(
            _("Ask your carrier to lock the number against moves and new SIM cards."),
            _("Remove the number from the recovery of your accounts."),
        ),
    ),
    "password_hygiene": PlainData(
        title=_("Passwords"),
        steps=(
            _("Use a password manager and a long master password."),
            _("Change every password that you use twice, e-mail first."),
            _("Delete the passwords that the browser remembers."),
        ),
    ),
    "token_approvals": PlainData(
        title=_("Permissions of apps"),
        steps=(
            _("Go through the apps and sites that may act for you, and remove what you do not need."),
            _("Read what you agree to, and allow no more than today needs."),
        ),
    ),
    "tx_verification": PlainData(
        title=_("Before you send"),
        steps=(
            _("Compare the whole number of the recipient, not just how it begins and ends."),
            _("Never copy it from an old message: use your saved contacts."),
            _("What you do not understand, you do not confirm."),
        ),
    ),
    "device_hygiene": PlainData(
        title=_("Computer and phone"),
        steps=(
            _("Turn on automatic updates."),
            _("Remove programs and browser extensions that you do not use."),
            _("Do important things on a device of your own, without games and trial software."),
        ),
    ),
    "phishing_support": PlainData(
        title=_("Calls and messages"),
        steps=(
            _("Hang up, and call back by a number that you looked up yourself."),
            _("Never read out a code, share your screen or install something for a caller."),
            _("Agree on a family code word."),
        ),
    ),
    "privacy_inheritance": PlainData(
        title=_("For an emergency"),
        steps=(
            _("Write a letter for your family: what there is, where, and whom to ask."),
            _("Do not talk about what you own, online or off."),
            _("Agree that big decisions take two people and a day."),
        ),
    ),
}
