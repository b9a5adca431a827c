"""Renames a credential or replaces its key: its pauses and quotas move with the name, those of the old key end."""

from datetime import timedelta

from django.utils import timezone

from llm import secrets
from llm.failures.kinds import Kind
from llm.models import Attempt, Credential, Meter, Pause, Quota
from llm.storage import rollup
from llm.storage.transactions import write_transaction


def rename(row: Credential, label: str) -> None:
    """Gives a credential another label; its pauses and today's use of its quota follow. The ledger stays."""
    old = row.label
    with write_transaction():
        row.label = label
        row.save(update_fields=["label", "updated_at"])
        relabel_state(row, old)


def relabel_state(row: Credential, old: str) -> None:
    """Lets what was known of a credential by its old label be known by its new one."""
    slug, label, day_ago = row.provider.slug, row.label, timezone.now() - timedelta(days=1)
    with write_transaction():
        open_pauses = Pause.objects.filter(provider=slug, closed_at=None)
        open_pauses.filter(credential=old).update(credential=label)
        if row.account or row.organisation:
            return  # its quota goes by another name than the label
        open_pauses.filter(account=old).update(account=label)
        Attempt.objects.filter(provider=slug, account=old, started_at__gt=day_ago).update(account=label)
        rollup.forget_hours("attempts")
        Meter.objects.filter(provider=slug).delete()  # counted anew, under the new name
        Quota.objects.filter(provider=slug, account=label).delete()
        Quota.objects.filter(provider=slug, account=old).update(account=label, updated_at=timezone.now())


def replace_key(row: Credential, key: str, *, by: str) -> None:
    """Stores another key in a credential, encrypted, for the host that its provider is at now.

    What the old key did wrong no longer counts: `by` names who closes its pauses. Raises SecretError without
    ENCRYPTION_KEYS.
    """
    with write_transaction():
        row.secret, row.organisation, row.entered_for = secrets.seal(key), "", row.provider.origin
        row.save(update_fields=["secret", "organisation", "entered_for", "updated_at"])
        Pause.objects.filter(
            provider=row.provider.slug, credential=row.label, kind=Kind.KEY_INVALID, closed_at=None
        ).update(closed_at=timezone.now(), closed_by=by[:80], probe_until=None)
