"""Clients of the gateway: made, listed and revoked from the command line."""

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping
from datetime import UTC, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from llm.clients import access as clients
from llm.clients import programs
from llm.management import quiet
from llm.models import Client
from llm.status.table import columns

LIMITS = ("rpm", "concurrency", "daily_calls", "daily_budget_usd", "max_usd")
HEADER = (
    "NAME",
    "KEY",
    "STATE",
    "RPM",
    "AT A TIME",
    "A DAY",
    "USD A DAY",
    "USD A CALL",
    "TIERS",
    "DATA",
    "LAST USED",
)


class Command(quiet.Command):
    help = "Clients of the gateway (/v1/). `add NAME` prints the key alone, which nobody can read again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        add = actions.add_parser("add", help="make a client and print its key")
        add.add_argument("name", metavar="NAME")
        for name, what in zip(LIMITS, ("requests a minute", "requests at a time", "requests a day",
                                       "USD a day", "USD a call; 0 is free only"), strict=True):  # fmt: skip
            kind = usd if name.endswith("usd") else whole
            add.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar="N", help=f"most {what}")
        add.add_argument(
            "--tier",
            action="append",
            dest="tiers",
            type=usd,
            metavar="N",
            help="only this one; may be repeated",
        )
        add.add_argument("--data-class", choices=Client.DataClass.values, default=Client.DataClass.PUBLIC)
        add.add_argument(
            "--region",
            action="append",
            dest="regions",
            metavar="XX",
            help="where its users are, such as EEA; may be repeated",
        )
        add.add_argument("--evaluation", action="store_true", help="no commercial use")
        add.add_argument("--no-cache", action="store_true", help="never a kept reply")
        add.add_argument(
            "--for",
            dest="program",
            choices=sorted(programs.PROGRAMS),
            metavar="PROGRAM",
            help="print the lines that connect this program: " + ", ".join(sorted(programs.PROGRAMS)),
        )
        add.add_argument("--days", type=whole, metavar="N", help="the key expires after N days")
        for name, what in (
            ("revoke", "refuse a client's key from now on"),
            ("renew", "give a client another key and print it"),
        ):
            actions.add_parser(name, help=what).add_argument("name", metavar="NAME")
        actions.add_parser("list", help="all clients (also without an action)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action'] or 'list'}")(options)
        except DatabaseError as error:
            kind = type(error).__name__
            raise CommandError(f"the database is not ready ({kind}): run `manage.py migrate`") from error

    def _add(self, options: Mapping[str, Any]) -> None:
        fields = {name: options[name] for name in LIMITS}
        if options["days"]:
            fields["expires_at"] = timezone.now() + timedelta(days=options["days"])
        try:
            _, key = clients.add(
                name=options["name"],
                tiers=[str(tier) for tier in options["tiers"] or []],
                data_class=options["data_class"],
                regions=[region.upper() for region in options["regions"] or []],
                commercial=not options["evaluation"],
                cache=Client.Cache.OFF if options["no_cache"] else Client.Cache.DEFAULT,
                **fields,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        program = options["program"]
        url = getattr(settings, "SITE_URL", "") or "http://127.0.0.1:8000"
        self.stdout.write(programs.lines(program, url=url, key=key) if program else key)

    def _renew(self, options: Mapping[str, Any]) -> None:
        self.stdout.write(clients.renew_key(_client(options["name"])))

    def _revoke(self, options: Mapping[str, Any]) -> None:
        client = _client(options["name"])
        done = clients.revoke(Client.objects.filter(pk=client.pk))
        self.stdout.write(f"{client.name} is revoked" if done else f"{client.name} was revoked before")

    def _list(self, options: Mapping[str, Any]) -> None:
        rows = [_row(client) for client in Client.objects.all()]
        self.stdout.write(
            columns([HEADER, *rows]) if rows else "no clients yet: `manage.py clients add NAME`"
        )


def whole(text: str) -> int:
    """An argparse type: a whole number above 0."""
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 2**31:
        raise ArgumentTypeError(f"{text!r} must be a whole number above 0")
    return int(text)


def usd(text: str) -> Decimal:
    """An argparse type: an amount of at least 0."""
    try:
        amount = Decimal(text)
        fits = 0 <= amount < 10**6
    except InvalidOperation:  # of "NaN" when it is compared
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not fits:
        raise ArgumentTypeError(f"{text!r} must be at least 0")
    return amount


def _client(name: str) -> Client:
    client = Client.objects.filter(name=name).first()
    if client is None:
        raise CommandError(f"there is no client {json.dumps(name, ensure_ascii=False)}")
    return client


def _row(client: Client) -> tuple[str, ...]:
    used = client.last_used_at
    return (
        client.name,
        f"{clients.PREFIX}-{client.key_id}-…",
        clients.state_of(client),
        *(_limit(getattr(client, name)) for name in LIMITS),
        ", ".join(client.tiers) or "all",
        client.data_class,
        f"{used.astimezone(UTC):%Y-%m-%d %H:%M}Z" if used else "never",
    )


def _limit(value: int | Decimal | None) -> str:
    return "-" if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
