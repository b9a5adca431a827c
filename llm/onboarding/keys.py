"""Keys as people paste them: one, several, a service account, or a whole .env. Stored encrypted, told to nobody."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from llm import secrets
from llm.configuration import credentials, fields, presets
from llm.configuration.errors import FieldError
from llm.models import Credential, Provider
from llm.storage.transactions import write_transaction

MOST_KEYS, MOST_CHARS = 50, 60_000
# How the keys of a provider begin; the longest beginning counts.
BEGINNINGS = {
    "gsk_": "groq", "sk-or-": "openrouter", "hf_": "huggingface", "AIza": "gemini", "nvapi-": "nvidia",
    "csk-": "cerebras",
}  # fmt: skip
# Other names that people's files have for a provider's key.
OTHER_NAMES = {
    "HUGGINGFACE_API_KEY": "huggingface", "HUGGINGFACEHUB_API_TOKEN": "huggingface", "HF_API_KEY": "huggingface",
    "HUGGING_FACE_HUB_TOKEN": "huggingface", "GOOGLE_API_KEY": "gemini", "OPEN_ROUTER_API_KEY": "openrouter",
    "CLOUDFLARE_API_KEY": "cloudflare", "NVIDIA_NIM_API_KEY": "nvidia",
}  # fmt: skip
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_KEYLIKE = re.compile(r"[!-~]{8,}")


@dataclass
class Imported:
    """`created` and `known` are labels of credentials; `skipped` and `problems` are lines for people, without keys."""

    created: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        return [*self.created, *self.known]


def import_keys(text: str, *, provider: str = "", by: str = "") -> Imported:
    """Stores every key that is found in a text, and says what became of each.

    text: a key, keys one a line or with commas between, lines of a .env (`GROQ_API_KEY=…`), or the JSON of a service
    account; provider: the slug that a key belongs to whose beginning says nothing; by: who does it, for the log.
    What cannot be used is named in `problems` or `skipped`, and never stored in part.
    """
    done = Imported()
    if len(text) > MOST_CHARS:
        done.problems.append(_("That is too long: paste the keys alone."))
        return done
    with write_transaction():
        rows = {row.slug: row for row in Provider.objects.prefetch_related("credentials")}
        for number, (slug, key) in enumerate(_found(text, provider, done, rows)):
            if number >= MOST_KEYS:
                done.problems.append(_("Only the first %(n)d keys were read.") % {"n": MOST_KEYS})
                break
            if slug not in rows:
                done.problems.append(_("There is no provider “%(name)s”.") % {"name": slug})
                continue
            _store(rows[slug], key, by, done)
    return done


def _found(text: str, chosen: str, done: Imported, rows: dict[str, Provider]) -> Iterator[tuple[str, str]]:
    """(slug, key) of everything that looks like one; notes the rest."""
    if account := _service_account(text):
        _settle(rows.get("vertex"), project=str(account.get("project_id", "")))
        yield "vertex", text.strip()
        return
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", ";", "//")):
            continue
        if matched := _LINE.fullmatch(line):
            yield from _of_variable(matched[1].upper(), _value(matched[2]), done, rows)
            continue
        for part in re.split(r"[\s,;]+", line):
            key = part.strip("\"'")
            if not key:
                continue
            slug = _by_beginning(key) or chosen
            if not _KEYLIKE.fullmatch(key):
                done.problems.append(_("Line %(n)d is no key.") % {"n": number})
            elif not slug:
                text_ = _("Line %(n)d: whose key is it? Choose the provider.")
                done.problems.append(text_ % {"n": number})
            else:
                yield slug, key


def _service_account(text: str) -> dict[str, object] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        read = json.loads(text)
    except ValueError:
        return None
    return read if isinstance(read, dict) and read.get("type") == "service_account" else None


def _value(text: str) -> str:
    """What a shell would take for the value: quotes and what is said behind it are left out."""
    text = text.strip()
    if text[:1] in {'"', "'"} and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    said = re.search(r"\s#", text)
    return text[: said.start()].strip() if said else text


def _of_variable(
    name: str, value: str, done: Imported, rows: dict[str, Provider]
) -> Iterator[tuple[str, str]]:
    if not value:
        return
    for slug, variables in presets.ENVIRONMENT.items():
        if name == variables.project:
            _settle(rows.get(slug), project=value)
            return
        if name == variables.account:
            _settle(rows.get(slug), account=value)
            return
        if name == variables.file:
            done.problems.append(_("%(name)s names a file: paste the JSON that is in it.") % {"name": name})
            return
    for part in (each.strip() for each in value.split(",")):
        slug = _by_name(name) or _by_beginning(part)
        if not slug:
            done.skipped.append(name)
            return
        if part:
            yield slug, part


def _by_name(name: str) -> str:
    for slug, variables in presets.ENVIRONMENT.items():
        if variables.key and re.fullmatch(re.escape(variables.key) + r"(S|_[0-9]{1,4})?", name):
            return slug
    return OTHER_NAMES.get(name, "")


def _by_beginning(key: str) -> str:
    fitting = [beginning for beginning in BEGINNINGS if key.startswith(beginning)]
    return BEGINNINGS[max(fitting, key=len)] if fitting else ""


def _settle(row: Provider | None, *, project: str = "", account: str = "") -> None:
    if row is not None:
        presets.settle(row, project=project, account=account)


def _store(row: Provider, key: str, by: str, done: Imported) -> None:
    """One credential, unless the provider has that key already."""
    if secrets.is_reference(key):
        # What a variable or a file of the server holds is for whoever runs the server to hand out.
        done.problems.append(_("%(name)s: paste the key itself, no reference.") % {"name": row.name})
        return
    for held in row.credentials.all():
        if _held(held) == key:
            done.known.append(held.label)
            return
    try:
        fields.secret(key)
        secrets.seal(key)
    except (FieldError, secrets.SecretError) as error:
        done.problems.append(f"{row.name}: {error}")
        return
    position = max((held.position for held in row.credentials.all()), default=-1) + 1
    made = Credential.objects.create(provider=row, label=_label(row.slug), position=position)
    credentials.replace_key(made, key, by=by)
    row._prefetched_objects_cache.pop("credentials", None)  # type: ignore[attr-defined]  # reads the new one too
    done.created.append(made.label)


def _held(row: Credential) -> str:
    try:
        return row.key()
    except secrets.SecretError:
        return ""


def _label(slug: str) -> str:
    taken = set(Credential.objects.filter(label__startswith=slug).values_list("label", flat=True))
    if slug not in taken and f"{slug}1" not in taken:
        return slug
    return next(label for n in range(2, 10_000) if (label := f"{slug}{n}") not in taken)
