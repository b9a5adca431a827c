"""For cron, where no web worker runs in between: expires and closes orders, and sends the outbox."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.orders import outbox
from audit.orders import service as orders


class Command(BaseCommand):
    help = "Expires unpaid orders, closes delivered ones, and sends the e-mails that are due."

    def handle(self, *args: Any, **options: Any) -> None:
        changed = orders.tend()
        sent = 0
        while batch := outbox.send_due():
            sent += batch
        self.stdout.write(f"{changed} orders changed, {sent} mails sent")
