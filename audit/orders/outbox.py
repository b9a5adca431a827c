"""The outbox: mails are written in the transaction of what they tell, sent after its commit, and retried.

A mail is claimed by one conditional UPDATE, so that no two workers send it. If a worker dies between the server's
yes and our note of it, the mail goes out again after LEASE with the same Message-ID.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from audit.models.orders import Mail, Order
from audit.orders.letters.compose import compose

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)  # longer than any server takes: the socket's timeout is 10 s
BACKOFF = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1440)
)  # after the last, a mail is given up
BATCH = 50
STAFF_LANG = "en"
NOBODY = "nobody@invalid.invalid"  # in the place of an address that was forgotten; reaches no one (RFC 2606)

_nudge: Callable[[], object] = list  # nobody yet


# -- writing -----------------------------------------------------------------------------------------
def queue(order: Order, kind: str) -> None:
    """Puts a letter to the customer into the outbox, in the order's language. Call it inside the transaction of
    what the letter tells: if that is rolled back, nothing is sent."""
    _put(order, kind, lang=order.lang, to=order.email)


def queue_for_staff(order: Order, kind: str) -> None:
    """The same to each of settings.ADMINS."""
    for _name, address in settings.ADMINS:
        _put(order, kind, lang=STAFF_LANG, to=address)


def forget_wording(letters: QuerySet[Mail]) -> int:
    """Blanks what the letters said, unless they still wait to be sent; that they were sent stays. Returns how many."""
    over = letters.exclude(state=Mail.State.QUEUED).exclude(text="", html="")
    return over.update(text="", html="", last_error="")


def _put(order: Order, kind: str, *, lang: str, to: str) -> None:
    letter = compose(order, kind, lang=lang)
    Mail.objects.create(
        order=order,
        kind=kind,
        lang=lang,
        to=to,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        next_try_at=timezone.now(),
    )
    transaction.on_commit(lambda: wake())  # looked up late, so that tests can replace it


# -- sending -----------------------------------------------------------------------------------------
def send_due(now: datetime | None = None) -> int:
    """Sends what is due at `now`, oldest first, at most BATCH mails; returns how many were sent."""
    now = now or timezone.now()
    due = Mail.objects.filter(state=Mail.State.QUEUED, next_try_at__lte=now).order_by("pk")
    return sum(_send(mail, now) for mail in due.select_related("order")[:BATCH])


def _send(mail: Mail, now: datetime) -> bool:
    mine = Mail.objects.filter(pk=mail.pk, state=Mail.State.QUEUED, next_try_at=mail.next_try_at)
    if not mine.update(attempts=F("attempts") + 1, next_try_at=now + LEASE):
        return False  # another worker has it
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        to=[mail.to],
        headers={
            "Message-ID": f"<order-mail-{mail.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": mail.lang,
        },
        connection=get_connection(),
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:
        _failed(mail, now, error)
        return False
    Mail.objects.filter(pk=mail.pk).update(state=Mail.State.SENT, sent_at=timezone.now(), last_error="")
    _forget_with_order(mail)
    log.info("mail %s (%s) of order %s was sent", mail.pk, mail.kind, mail.order.code)
    return True


def _forget_with_order(mail: Mail) -> None:
    """A letter that still waited when its order's words were forgotten keeps its address only until it is over."""
    over = Mail.objects.filter(pk=mail.pk, order__email=NOBODY).exclude(state=Mail.State.QUEUED)
    over.exclude(kind__startswith="staff").update(to=NOBODY, text="", html="")


def _failed(mail: Mail, now: datetime, error: Exception) -> None:
    attempts = mail.attempts + 1
    give_up = attempts > len(BACKOFF) or _is_final(error)
    Mail.objects.filter(pk=mail.pk).update(
        state=Mail.State.FAILED if give_up else Mail.State.QUEUED,
        next_try_at=now if give_up else now + BACKOFF[attempts - 1],
        last_error=_reason(error),
    )
    _forget_with_order(mail)
    log.warning(
        "mail %s (%s) of order %s was not sent (attempt %s, %s): %s",
        mail.pk, mail.kind, mail.order.code, attempts, "given up" if give_up else "will be retried", _reason(error),
    )  # fmt: skip


def _is_final(error: Exception) -> bool:
    """Whether the server said that it never takes this address."""
    return isinstance(error, SMTPRecipientsRefused) and all(
        code >= 500 for code, _words in error.recipients.values()
    )


def _reason(error: Exception) -> str:
    """The error's class and the server's code: its words may repeat the address, which no log needs."""
    codes: list[int] = []
    if isinstance(error, SMTPResponseException):
        codes = [error.smtp_code]
    elif isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _words in error.recipients.values()]
    return " ".join([type(error).__name__, *map(str, codes)])


def retry(mail: Mail) -> bool:
    """Staff: send a mail again that was given up. Returns whether it had been, and its wording is still there."""
    given_up = Mail.objects.filter(pk=mail.pk, state=Mail.State.FAILED).exclude(text="")
    again = given_up.update(state=Mail.State.QUEUED, attempts=0, next_try_at=timezone.now())
    transaction.on_commit(lambda: wake())
    return bool(again)


# -- in the background -------------------------------------------------------------------------------
def register(nudge: Callable[[], object]) -> None:
    """What tells the background worker that a mail waits. It must not raise; without it the mail waits for the next
    look, a minute at most."""
    global _nudge
    _nudge = nudge


def wake() -> None:
    """Has what waits sent soon, by another process."""
    _nudge()
