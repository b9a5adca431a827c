"""One way to point the chain at the simulator: plain factory functions."""

from decimal import Decimal

from llm.models import Credential, Model, Provider

OSS, SMALL = "openai/gpt-oss-120b", "openai/gpt-oss-20b"


def make_provider(sim, slug, *, models, keys, **fields):
    """A provider of the simulator. `keys` maps label to account ("" is its own); the key is the label itself."""
    kind = fields.pop("kind", "openai")
    path = {"groq": slug, "openai": f"{slug}/v1", "vertex": "vertex/{location}"}[kind]
    row = Provider.objects.create(
        slug=slug, kind=kind, name=slug.title(), base_url=f"{sim.url}/{path}", position=Provider.objects.count(),
        **({"timeout_s": 20, "first_byte_s": 10} | fields),
    )  # fmt: skip
    for position, model in enumerate(models):
        fields = model if isinstance(model, dict) else {"name": model}
        Model.objects.create(provider=row, position=position, **fields)
    for position, (label, account) in enumerate(keys.items()):
        Credential.objects.create(
            provider=row, label=label, account=account, secret=f"key-of-{label}", position=position
        )
    return row


def make_groq(sim, *, keys=5, models=(OSS,), **fields):
    labels = {f"groq{n}": "" for n in range(1, keys + 1)}
    return make_provider(
        sim, "groq", kind="groq", models=models, keys=labels, **({"free": True, "tier": 1} | fields)
    )


def make_deepseek(sim, **fields):
    price = {"price_in": Decimal("0.30"), "price_out": Decimal("1.20")}
    return make_provider(
        sim,
        "deepseek",
        models=[{"name": "deepseek-flash", **price}],
        keys={"deepseek": ""},
        **({"tier": 2} | fields),
    )


def make_vertex(sim, tmp_path, *, locations=("global", "eu", "us"), **fields):
    """Vertex with a service account whose token endpoint is the simulator's. Its label there is `vertex`."""
    import json

    secret = tmp_path / "service-account.json"
    secret.write_text(json.dumps(sim.service_account(project="proj", label="vertex")))
    model = {"name": "gemini-3.5-flash-lite", "price_in": Decimal("0.30"), "price_out": Decimal("2.50")}
    row = make_provider(
        sim, "vertex", kind="vertex", models=[model], keys={}, project="proj", locations=list(locations),
        **({"tier": 3} | fields),
    )  # fmt: skip
    Credential.objects.create(provider=row, label="vertex", secret=f"file:{secret}")
    return row
