"""`python manage.py load_bank`: questions, options and incidents from the bank into the database."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.bank import loading, questions


class Command(BaseCommand):
    help = (
        "Loads the questionnaire and the incidents. Safe to run at every start: texts that staff edited and "
        "incidents that they switched off stay as they are."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = loading.load()
        self.stdout.write(
            f"Question bank {questions.BANK_VERSION}: {loaded.created} created, {loaded.updated} updated, "
            f"{loaded.unchanged} unchanged."
        )
        if loaded.unknown:
            self.stdout.write(f"Kept for old scans, no longer in the bank: {', '.join(loaded.unknown)}.")
