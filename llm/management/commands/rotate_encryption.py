"""Encrypts the stored provider keys anew, after a new key was put in front of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import CommandError

from llm import secrets
from llm.management import quiet
from llm.models import Credential
from llm.storage.transactions import write_transaction


class Command(quiet.Command):
    help = (
        "Encrypts stored provider keys with the first of ENCRYPTION_KEYS. All or nothing; afterwards the others can "
        "be dropped from it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable, count = [], 0
        with write_transaction():
            for row in Credential.objects.select_for_update().filter(secret__startswith="enc:"):  # noqa: S106
                try:
                    fresh = secrets.rotate(row.secret)
                except secrets.SecretError as error:
                    unreadable.append(f"{row.label}: {error}")
                    continue
                # A key that staff replace meanwhile is encrypted with the newest already.
                count += Credential.objects.filter(pk=row.pk, secret=row.secret).update(secret=fresh)
            if unreadable:
                raise CommandError("nothing was changed:\n" + "\n".join(unreadable))
        self.stdout.write(f"{count} stored keys are encrypted with the first of ENCRYPTION_KEYS.")
