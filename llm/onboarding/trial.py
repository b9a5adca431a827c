"""Whether a key works: one tiny call of it alone, in the ledger like any other."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from llm.calls.deployment import Deployment
from llm.chain import direct
from llm.configuration import snapshot
from llm.failures.kinds import Failure, Kind
from llm.ledger.bookkeeper import NoRoom
from llm.models import Credential, Pause
from llm.onboarding.offers import limits_in_words
from llm.status import words

PURPOSE = "staff-test"
PROMPT = [{"role": "user", "content": "Reply with the word ok."}]
MOST_TOKENS = 16
OF_ONE_MODEL = {
    Kind.MODEL_GONE, Kind.RATE_LIMITED_PROVIDER, Kind.RATE_LIMITED_KEY, Kind.EMPTY_OUTPUT, Kind.REQUEST_REJECTED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `refused`: the provider says that the key is none; it is worth nothing then."""

    label: str
    provider: str = ""
    model: str = ""
    ok: bool = False
    ms: int = 0
    text: str = ""
    why: str = ""
    limits: str = ""
    off: bool = False
    refused: bool = False


def try_key(label: str) -> Trial:
    """Asks the models of a credential in their order until one answers. Never raises for what a provider does."""
    row = Credential.objects.select_related("provider").filter(label=label).first()
    if row is None:
        return Trial(label, why=_("It is no longer there."))
    name = row.provider.name
    if not row.provider.enabled:
        return Trial(label, name, why=_("the provider is switched off"), off=True)
    found = _deployments(row)
    if not found:
        return Trial(label, name, why=_("no model"))
    last = Trial(label, name)
    for deployment in found:
        last = _ask(deployment, name)
        if last.ok or last.refused or not last.model:
            break
    return last


def _deployments(row: Credential) -> list[Deployment]:
    for provider in snapshot.providers():
        if provider.slug == row.provider.slug:
            return [
                Deployment(provider, key, model, (provider.locations or ("",))[0])
                for key in provider.keys
                if key.label == row.label
                for model in provider.models
            ]
    return []


def _ask(deployment: Deployment, name: str) -> Trial:
    model, label = deployment.model.name, deployment.key.label
    if not (deployment.key.key or deployment.provider.keyless):
        return Trial(label, name, why=deployment.key.problem or _("no key"))
    try:
        call = direct.ask(deployment, messages=PROMPT, purpose=PURPOSE, lang="en", max_tokens=MOST_TOKENS)
    except NoRoom as full:
        return Trial(label, name, model, why=str(full))
    except Failure as failure:
        why = f"{words.why(failure.kind)}. {failure.detail}"
        refused = failure.kind is Kind.KEY_INVALID
        goes_on = failure.kind in OF_ONE_MODEL
        return Trial(label, name, model if goes_on else "", why=f"{model}: {why}", refused=refused)
    limits = limits_in_words(deployment.model)
    return Trial(label, name, model, True, call.latency_ms, call.text.strip(), limits=limits)


def forget_refused(label: str) -> None:
    """Takes back a key that was just pasted and that its provider refuses, with the pause that it caused."""
    row = Credential.objects.select_related("provider").filter(label=label).first()
    if row is not None:
        Pause.objects.filter(provider=row.provider.slug, credential=label, closed_at=None).delete()
        row.delete()
