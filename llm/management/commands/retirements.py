"""Shows which models end when, rehearses replacements, and switches to them."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from llm.foresight import retirement
from llm.management import quiet
from llm.models import Model


class Command(quiet.Command):
    help = "Without arguments: models in use whose end is known, with their replacements and rehearsals."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        for name, text in (
            ("rehearse", "ask a model's replacement recent prompts and have the gates judge the answers"),
            ("switch", "put a model's replacement in its place"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("provider", help="slug")
            action.add_argument("model", help="id of the model that ends")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] is None:
            self._show()
            return
        model = Model.objects.filter(provider__slug=options["provider"], name=options["model"]).first()
        if model is None:
            raise CommandError(f"{options['provider']} has no model {options['model']}")
        try:
            if options["action"] == "rehearse":
                for result in retirement.rehearse(model):
                    self.stdout.write(_line(result))
            else:
                self.stdout.write(f"{retirement.switch(model.pk).name} takes the place of {model.name}")
        except LookupError as error:
            raise CommandError(str(error)) from None

    def _show(self) -> None:
        for ending in retirement.calendar():
            model = ending.model
            replacement = f"then {model.replacement}" if model.replacement else "no replacement named"
            left = f"in {ending.days} days" if ending.days >= 0 else "over"
            self.stdout.write(f"{ending.ends} ({left})  {model.provider.slug}: {model.name}, {replacement}")
            for result in retirement.latest(model):
                self.stdout.write(f"    {_line(result)}")


def _line(result: Any) -> str:
    gate = "by its gate" if result.gated else "no gate: any answer passes"
    text = f"{result.purpose or 'built-in prompts'}: {result.passed} of {result.samples} passed ({gate})"
    return f"{text}: {result.detail}" if result.detail else text
