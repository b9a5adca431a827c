"""`ask`, `ask_pro` and `ask_hf` as programs: `manage.py ask` with the whole chain, Vertex only, Hugging Face only."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

ONLY = {"ask": None, "ask_pro": "vertex", "ask_hf": "huggingface"}


def main(program: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one of the three programs and ends the process with its exit status.

    Needs DJANGO_SETTINGS_MODULE. arguments: those of the process when None.
    """
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"{program}: not configured: {error}")
    from llm.management.commands.ask import Command

    class Ask(Command):
        only = ONLY[program]

        def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> Any:
            parser = super().create_parser(prog_name, subcommand, **options)
            parser.prog = program
            return parser

    given = sys.argv[1:] if arguments is None else arguments
    Ask().run_from_argv([program, program, *given])
    sys.exit(0)


def ask() -> NoReturn:
    main("ask")


def ask_pro() -> NoReturn:
    main("ask_pro")


def ask_hf() -> NoReturn:
    main("ask_hf")
