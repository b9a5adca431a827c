"""The providers file: what loads, what is refused and how it is told, and that an export loads again."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm.configuration import file as config
from llm.configuration import snapshot
from llm.models import Attempt, Call, Credential, Model, Pause, Provider

pytestmark = pytest.mark.django_db

FULL = """
[[provider]]
slug = "groq"
kind = "groq"
name = "Groq"
base_url = "https://api.groq.com"
tier = 1
free = true
keyless = false
first_byte_s = 10
timeout_s = 20
daily_budget_usd = "1.00"
credit_usd = "200"
credit_until = 2027-01-31
demote_after_h = 24
day_resets = "rolling"
enabled = true

[[provider.model]]
id = "openai/gpt-oss-120b"
params = { reasoning_effort = "low", nested = { list = [1, 2.5, true, "x"] } }
reasoning_reserve = 500
price_in = "0.27"
price_out = 0
rpm = 30
rpd = 1000
tpm = 8000
tpd = 200000

[[provider.model]]
id = "openai/gpt-oss-20b"
enabled = false

[[provider.key]]
label = "groq1"
secret = "env:GROQ_API_KEY_1"
account = "org-a"

[[provider.key]]
label = "groq2"
secret = "gsk_typed_into_the_file"

[[provider]]
slug = "vertex"
kind = "vertex"
tier = 3
project = "my-project"
locations = ["global", "eu"]
base_url = "https://{location}-aiplatform.example"
"""


def errors_of(text):
    with pytest.raises(config.ConfigError) as caught:
        config.load(text)
    return caught.value.errors


def provider(fields="", *, slug="groq", kind="groq", rest=""):
    return f'[[provider]]\nslug = "{slug}"\nkind = "{kind}"\n{fields}\n{rest}'


def with_model(fields):
    return provider(rest=f'[[provider.model]]\nid = "m"\n{fields}')


def with_key(fields):
    return provider(rest=f"[[provider.key]]\n{fields}")


# -- what loads ------------------------------------------------------------------------------------


def test_every_field_of_the_file_arrives_in_the_database():
    config.load(FULL)
    groq = Provider.objects.get(slug="groq")
    assert (groq.name, groq.kind, groq.base_url, groq.tier) == ("Groq", "groq", "https://api.groq.com", 1)
    assert (groq.free, groq.keyless, groq.first_byte_s, groq.timeout_s) == (True, False, 10, 20)
    assert (groq.daily_budget_usd, groq.credit_usd) == (Decimal("1.00"), Decimal(200))
    assert (groq.credit_until, groq.demote_after_h, groq.day_reset) == (date(2027, 1, 31), 24, "rolling")
    big, small = groq.models.all()
    assert (big.name, big.reasoning_reserve, big.price_in, big.price_out) == (
        "openai/gpt-oss-120b", 500, Decimal("0.27"), 0,
    )  # fmt: skip
    assert big.params == {"reasoning_effort": "low", "nested": {"list": [1, 2.5, True, "x"]}}
    assert (big.rpm, big.rpd, big.tpm, big.tpd) == (30, 1000, 8000, 200000)
    assert (small.enabled, small.rpm, small.price_in) == (False, None, None)
    first, second = groq.credentials.all()
    assert (first.label, first.secret, first.account) == ("groq1", "env:GROQ_API_KEY_1", "org-a")
    assert second.secret.startswith("enc:")
    assert second.key() == "gsk_typed_into_the_file"
    vertex = Provider.objects.get(slug="vertex")
    assert (vertex.name, vertex.project, vertex.locations) == ("vertex", "my-project", ["global", "eu"])


def test_loading_the_same_file_again_changes_nothing():
    config.load(FULL)
    stored = list(Credential.objects.values_list("secret", "updated_at"))
    summary = config.load(FULL)
    assert (summary.created, summary.changed, summary.unchanged) == ([], [], 6)
    assert list(Credential.objects.values_list("secret", "updated_at")) == stored


def test_only_named_fields_and_rows_change():
    config.load(FULL)
    config.load(
        '[[provider]]\nslug = "groq"\ntimeout_s = 7\n[[provider.model]]\nid = "openai/gpt-oss-20b"\nrpm = 5'
    )
    groq = Provider.objects.get(slug="groq")
    assert (groq.timeout_s, groq.first_byte_s, groq.tier) == (7, 10, 1)
    assert groq.models.count() == 2
    assert groq.credentials.count() == 2
    small = groq.models.get(name="openai/gpt-oss-20b")
    assert (small.rpm, small.enabled) == (5, False)
    assert Provider.objects.filter(slug="vertex").exists()


def test_state_and_ledger_survive_a_reload():
    config.load(FULL)
    now = timezone.now()
    Pause.objects.create(provider="groq", kind="provider_down", source="guess", since=now)
    call = Call.objects.create(started_at=now, deadline_s=5)
    Attempt.objects.create(
        call=call,
        provider="groq",
        credential="groq1",
        account="a",
        model="m",
        tier=1,
        free=True,
        started_at=now,
    )
    Credential.objects.filter(label="groq1").update(organisation="org_learned")
    config.load(FULL.replace("timeout_s = 20", "timeout_s = 21"))
    assert Pause.objects.filter(closed_at=None).count() == 1
    assert Attempt.objects.count() == 1
    assert Credential.objects.get(label="groq1").organisation == "org_learned"


def test_an_empty_text_clears_a_limit_or_price():
    config.load(FULL)
    config.load(
        '[[provider]]\nslug = "groq"\ndaily_budget_usd = ""\ncredit_until = ""\n'
        '[[provider.model]]\nid = "openai/gpt-oss-120b"\nrpm = ""\nprice_in = ""'
    )
    groq, model = Provider.objects.get(slug="groq"), Model.objects.get(name="openai/gpt-oss-120b")
    assert (groq.daily_budget_usd, groq.credit_until, model.rpm, model.price_in) == (None, None, None, None)
    assert (groq.credit_usd, model.rpd) == (200, 1000)


def test_file_order_becomes_the_order_within_a_tier():
    config.load("".join(provider(slug=slug) for slug in ("b", "a", "c")))
    assert list(Provider.objects.values_list("slug", flat=True)) == ["b", "a", "c"]
    config.load("".join(provider(slug=slug) for slug in ("c", "b")))
    assert list(Provider.objects.values_list("slug", flat=True)) == ["c", "a", "b"]


def test_a_file_about_one_provider_does_not_move_it():
    config.load("".join(provider(slug=slug) for slug in ("a", "b", "c")))
    config.load(provider("free = true", slug="c") + provider(slug="new"))
    assert list(Provider.objects.values_list("slug", flat=True)) == ["a", "b", "c", "new"]


def test_models_and_keys_keep_file_order():
    models = "".join(f'[[provider.model]]\nid = "{name}"\n' for name in "zay")
    keys = "".join(f'[[provider.key]]\nlabel = "{name}"\nsecret = "env:X_KEY"\n' for name in "qpr")
    config.load(provider(rest=models + keys))
    assert list(Model.objects.values_list("name", flat=True)) == ["z", "a", "y"]
    assert list(Credential.objects.values_list("label", flat=True)) == ["q", "p", "r"]


def test_a_reload_reaches_the_chain_at_once():
    config.load(FULL)
    assert [model.name for model in snapshot.providers()[0].models] == ["openai/gpt-oss-120b"]
    config.load('[[provider]]\nslug = "groq"\n[[provider.model]]\nid = "openai/gpt-oss-20b"\nenabled = true')
    assert len(snapshot.providers()[0].models) == 2


def test_amounts_stay_exact_however_they_are_written():
    config.load(with_model("price_in = 0.1\nprice_out = 0.000001"))
    model = Model.objects.get()
    assert (model.price_in, model.price_out) == (Decimal("0.1"), Decimal("0.000001"))


def test_a_parameter_changes_type_though_python_calls_both_equal():
    config.load(with_model("params = { seed = 1 }"))
    config.load(with_model("params = { seed = true }"))
    assert Model.objects.get().params["seed"] is True


def test_a_provider_that_stops_being_vertex_loses_its_locations():
    config.load(FULL)
    config.load('[[provider]]\nslug = "vertex"\nkind = "openai"\nbase_url = "https://gateway.example/v1"')
    vertex = Provider.objects.get(slug="vertex")
    assert (vertex.project, vertex.locations) == ("", [])


def test_a_key_without_secret_is_told_and_keeps_a_stored_one():
    summary = config.load(with_key('label = "groq1"'))
    assert any("has no secret yet" in note for note in summary.notes)
    config.load(with_key('label = "groq1"\nsecret = "gsk_now_there"'))
    config.load(with_key('label = "groq1"\naccount = "org-a"'))
    assert Credential.objects.get().key() == "gsk_now_there"


def test_a_file_with_byte_order_mark_and_windows_lines_loads(tmp_path):
    path = tmp_path / "providers.toml"
    path.write_bytes(b"\xef\xbb\xbf" + provider().replace("\n", "\r\n").encode())
    assert config.load_file(path).created == ['provider "groq"']


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (with_model("tpm = -5"), 'provider 1 ("groq"), model 1: tpm must be a whole number above 0, not -5'),
        (with_model("rpm = 0"), "model 1: rpm must be a whole number above 0, not 0"),
        (with_model("rpm = true"), "rpm must be a whole number above 0, not true"),
        (with_model("rpm = 1.5"), "rpm must be a whole number above 0, not 1.5"),
        (with_model('rpm = "30"'), 'rpm must be a whole number above 0, not "30"'),
        (with_model("rpm = 99999999999"), "rpm must be at most"),
        (with_model("reasoning_reserve = -1"), "must be a whole number of at least 0, not -1"),
        (with_model('price_in = "-1"'), "price_in must be an amount of at least 0"),
        (with_model("price_in = -0.5"), "price_in must be an amount of at least 0"),
        (with_model("price_in = nan"), "price_in must be an amount"),
        (with_model("price_in = inf"), "price_in must be an amount"),
        (with_model('price_in = "1e3"'), "price_in must be an amount"),
        (with_model('price_in = "0,27"'), "price_in must be an amount"),
        (with_model('price_in = "٣"'), "price_in must be an amount"),
        (with_model("price_in = true"), "price_in must be an amount"),
        (with_model('price_in = "0.0000001"'), "price_in must have at most 6 decimals"),
        (with_model('price_in = "1000000"'), "price_in must be less than 1000000"),
        (with_model('params = "low"'), "params must be a table"),
        (with_model("params = { day = 2027-01-31 }"), "params must hold JSON values"),
        (with_model("params = { x = [nan] }"), "params must hold JSON values"),
        (with_model("params = { model = 1, stream = true }"), "params must not set model, stream"),
        (provider('[[provider.model]]\nid = ""'), "id must not be empty"),
        (provider('[[provider.model]]\nid = "a b"'), "id must not hold spaces"),
        (provider("[[provider.model]]\nrpm = 3"), "model 1: id is missing"),
        (with_model('[[provider.model]]\nid = "m"'), 'model 2: id "m" is used twice'),
        (provider("tier = -1"), "tier must be an amount of at least 0"),
        (provider("tier = 1.25"), "tier must have at most 1 decimal, not 1.25"),
        (provider("timeout_s = 0"), "timeout_s must be a number from 0.1 to 3600, not 0"),
        (provider("timeout_s = inf"), "timeout_s must be a number"),
        (provider("demote_after_h = 1e9"), "demote_after_h must be a number from 0 to 87600"),
        (provider('free = "yes"'), 'free must be true or false, not "yes"'),
        (provider("free = 1"), "free must be true or false, not 1"),
        (provider('daily_budget_usd = "a lot"'), 'must be an amount of at least 0, such as "0.27"'),
        (provider('credit_until = "tomorrow"'), "credit_until must be a day such as 2027-01-31"),
        (provider("credit_until = 2027-01-31T00:00:00Z"), "credit_until must be a day"),
        (provider('base_url = "ftp://example.org"'), "base_url must begin with http:// or https://"),
        (provider('base_url = "api.groq.com"'), "base_url must begin with http:// or https://"),
        (provider('base_url = "https://"'), "base_url must begin with http:// or https:// and name a host"),
        (provider('base_url = "https://x:99999/v1"'), "base_url is not a valid address"),
        (provider('base_url = "https://user:pw@example.org"'), "base_url must not hold a user"),
        (provider('base_url = "https://example.org?key=1"'), "base_url must not hold a user"),
        (provider('base_url = "https://{location}.example.org"'), "may hold {location} for vertex only"),
        (provider('base_url = "https://{region}.example.org"'), "base_url is not a valid address"),
        (provider('day_resets = "noon"'), 'day_resets must be one of utc, pacific, rolling, not "noon"'),
        (provider(kind="grok"), 'kind must be one of groq, openai, vertex, not "grok"'),
        (provider('name = "a\\nb"'), "name must be one line"),
        (provider(f'name = "{"x" * 81}"'), "name must have at most 80 characters, not 81"),
        (provider(slug="Groq Cloud"), "provider 1: slug must hold lower-case letters"),
        (provider('locations = ["eu"]'), "locations is for vertex only"),
        (provider('project = "p"'), "project is for vertex only"),
        (provider(kind="vertex"), "project is missing"),
        (provider('project = ""', kind="vertex"), "locations is missing"),
        (provider('project = ""\nlocations = []', kind="vertex"), "locations must be a list of locations"),
        (provider('project = ""\nlocations = ["eu", "eu"]', kind="vertex"), "names a location twice"),
        (provider('project = ""\nlocations = ["E U"]', kind="vertex"), "locations must hold names"),
        (provider('project = ""\nlocations = ["eu"]\nkeyless = true', kind="vertex"), "must be false"),
        (with_key('label = "a"\nsecret = ""'), "key 1: secret must not be empty"),
        (with_key('label = "a"\nsecret = "env:"'), "secret must not be empty"),
        (with_key('label = "a"\nsecret = "env:A KEY"'), "secret is no reference to a variable"),
        (with_key('label = "a"\nsecret = "enc:abc"'), "secret must be env:NAME, file:/path or"),
        (with_key('label = "a"\nsecret = "GROQ_API_KEY"'), "secret looks like the name of a variable"),
        (with_key('label = "a"\nsecret = 12345678'), "secret must be text"),
        (with_key('label = "a"\nsecret = "two words"'), "secret must be one word"),
        (with_key('label = "a"\nsecret = "{not json"'), "secret begins like the JSON of a service account"),
        (with_key('secret = "env:A_KEY"'), "key 1: label is missing"),
        (with_key('label = "Two Words"'), "label must hold lower-case letters"),
        ("[[provider]]\nkind = 'groq'", "provider 1: slug is missing"),
        ('[[provider]]\nslug = "x"', 'provider 1 ("x"): kind is missing'),
        ('[provider]\nslug = "x"', "provider must be written as [[provider]]"),
        (provider("[provider.model]\nid = 'm'"), ': model must be written as [[provider.model]]'),
        (provider("tmeout_s = 3"), '): unknown field "tmeout_s"; did you mean "timeout_s"?'),
        (provider("colour = 3"), 'unknown field "colour" (known: slug, kind,'),
        (provider() + "[[provider.model]]\nname = 'x'", 'model 1: unknown field "name"'),
        ('[[providers]]\nslug = "x"', 'unknown field "providers"; did you mean "provider"?'),
        (provider() * 2, 'provider 2 ("groq"): slug "groq" is used twice'),
        ("slug = \nx = 1", "this is not TOML: Invalid value (at line 1, column 8)"),
        ("\n\n[[provider]\n", "line 3"),
        ("x = " + "[" * 5000, "this is not TOML"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_place_and_reason(text, error):
    found = errors_of(text)
    assert any(error in line for line in found), found
    assert not Provider.objects.exists()


def test_every_mistake_is_named_at_once_and_nothing_is_loaded():
    good = provider(slug="good")
    bad = provider(
        "tier = -1\ncolour = 1", slug="bad", rest='[[provider.model]]\nid = "m"\ntpm = 0\nrpd = "x"'
    )
    found = errors_of(good + bad)
    assert [error.split(":")[0] for error in found] == [
        'provider 2 ("bad")', 'provider 2 ("bad")',
        'provider 2 ("bad"), model 1', 'provider 2 ("bad"), model 1',
    ]  # fmt: skip
    assert not Provider.objects.exists()


def test_a_refused_reload_leaves_the_database_as_it_was():
    config.load(FULL)
    before = config.export()
    errors_of(FULL.replace("timeout_s = 20", "timeout_s = 5").replace("tpd = 200000", "tpd = -1"))
    assert config.export() == before


def test_a_label_is_unique_over_all_providers():
    config.load(with_key('label = "mine"\nsecret = "env:A_KEY"'))
    text = provider(slug="other", rest='[[provider.key]]\nlabel = "mine"\nsecret = "env:A_KEY"')
    assert errors_of(text) == ['provider 1 ("other"), key 1: label "mine" belongs to provider "groq"']
    twice = "".join(
        provider(slug=slug, rest='[[provider.key]]\nlabel = "x"\nsecret = "env:A_KEY"\n') for slug in "ab"
    )
    assert errors_of(twice) == ['provider 2 ("b"), key 1: label "x" is used twice']


def test_a_key_cannot_be_stored_without_an_encryption_key(settings):
    settings.ENCRYPTION_KEYS = []
    (error,) = errors_of(with_key('label = "a"\nsecret = "gsk_abcdef123456"'))
    assert "secret cannot be stored: ENCRYPTION_KEYS is not set" in error
    config.load(with_key('label = "a"\nsecret = "env:GROQ_API_KEY"'))


def test_files_that_cannot_be_read_are_refused(tmp_path):
    for path, reason in [(tmp_path / "none.toml", "No such file"), (tmp_path, "Is a directory")]:
        with pytest.raises(config.ConfigError, match=reason):
            config.load_file(path)
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(config.ConfigError, match="is not UTF-8"):
        config.load_file(tmp_path / "latin.toml")


SECRET = "gsk_s3cr3tvalue0123456789"


@pytest.mark.parametrize(
    "text",
    [
        with_key(f'label = "a"\nsecret = "{SECRET} with a space"'),
        with_key(f'label = "a"\nsecret = "{SECRET}"\naccount = 5'),
        with_key(f'label = "a"\nsecret = "env:{SECRET}!"'),
        with_key(f'label = "a"\nsecret = ["{SECRET}"]'),
        with_key(f'label = "a"\nsecret = "{SECRET}"\n') + f'[[provider.model]]\nid = "m"\nrpm = "{SECRET}"',
        provider(f'secret = "{SECRET}"'),
        provider(f'base_url = "https://{SECRET}@example.org"'),
        provider(f'base_url = "https://example.org/?key={SECRET}"'),
        f'[[provider]]\nslug = "groq"\nkind = "groq"\n[[provider.key]]\nlabel = "a"\nsecret = "{SECRET}',
    ],
)
def test_no_error_repeats_a_secret(text):
    assert SECRET not in "\n".join(errors_of(text))


def test_no_summary_repeats_a_secret():
    summary = config.load(with_key(f'label = "a"\nsecret = "{SECRET}"'))
    changed = config.load(with_key(f'label = "a"\nsecret = "{SECRET}2"'))
    assert SECRET not in str(summary) + repr(summary) + str(changed) + repr(changed)
    assert changed.changed == ['key "a" of "groq": secret']


# -- export ----------------------------------------------------------------------------------------


def everything():
    skip = {"id", "updated_at", "provider_id", "position", "vouched_origin"}

    def rows(queryset):
        return [{k: v for k, v in row.items() if k not in skip} for row in queryset.values()]

    return [
        (one, rows(p.models.all()), rows(p.credentials.all()))
        for p, one in zip(Provider.objects.all(), rows(Provider.objects.all()), strict=True)
    ]


def test_an_export_loads_again_to_the_same():
    config.load(FULL)
    before, text = everything(), config.export()
    summary = config.load(text)
    assert (summary.created, summary.changed) == ([], [])
    assert everything() == before
    assert config.export() == text


def test_an_export_holds_references_but_never_a_key():
    config.load(FULL)
    text = config.export()
    assert 'secret = "env:GROQ_API_KEY_1"' in text
    assert "# secret: stored, fingerprint " in text
    assert "gsk_typed" not in text
    assert "enc:" not in text


def test_loading_an_export_keeps_the_stored_key():
    config.load(FULL)
    text = config.export()
    config.load(text)
    assert Credential.objects.get(label="groq2").key() == "gsk_typed_into_the_file"


def test_an_export_works_with_a_key_that_cannot_be_opened(settings):
    config.load(FULL)
    settings.ENCRYPTION_KEYS = ["YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="]
    assert "# secret: stored, cannot be read" in config.export()


def test_an_empty_database_exports_a_file_that_loads():
    summary = config.load(config.export())
    assert (summary.created, summary.changed, summary.unchanged) == ([], [], 0)


text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30
).filter(str.strip)
names = st.from_regex(r"[a-z0-9][a-z0-9._:-]{0,12}", fullmatch=True)
amounts = st.decimals(min_value=0, max_value=99999, places=6)
maybe_amounts = st.none() | amounts
json_values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
limits = st.none() | st.integers(1, 2_147_483_647)
model_rows = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"[!-~]{1,30}", fullmatch=True),
        "enabled": st.booleans(),
        "params": st.dictionaries(words.map("p_".__add__), json_values, max_size=3),
        "reasoning_reserve": st.integers(0, 10_000),
        "price_in": maybe_amounts,
        "price_out": maybe_amounts,
        **dict.fromkeys(("rpm", "rpd", "tpm", "tpd"), limits),
    }
)
provider_rows = st.fixed_dictionaries(
    {
        "slug": names,
        "kind": st.sampled_from(["groq", "openai", "vertex"]),
        "name": words,
        "base_url": st.sampled_from(["", "https://api.example.org/v1", "http://127.0.0.1:11434/v1"]),
        "tier": st.decimals(min_value=0, max_value=999, places=1),
        "enabled": st.booleans(),
        "free": st.booleans(),
        "first_byte_s": st.floats(0.1, 3600),
        "timeout_s": st.floats(0.1, 3600),
        "demote_after_h": st.floats(0, 1000),
        "daily_budget_usd": maybe_amounts,
        "credit_usd": maybe_amounts,
        "credit_until": st.none() | st.dates(date(2000, 1, 1)),
        "day_reset": st.sampled_from(["utc", "pacific", "rolling"]),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.lists(
        st.tuples(provider_rows, st.lists(model_rows, max_size=2, unique_by=lambda row: row["name"])),
        max_size=3,
        unique_by=lambda pair: pair[0]["slug"],
    )
)
def test_whatever_is_configured_survives_export_and_load(data):
    Provider.objects.all().delete()
    for place, (values, models) in enumerate(data):
        vertex = {"project": "p", "locations": ["eu"]} if values["kind"] == "vertex" else {}
        row = Provider.objects.create(**values, **vertex, position=place)
        for position, model in enumerate(models):
            Model.objects.create(provider=row, position=position, **model)
    before, exported = everything(), config.export()
    Provider.objects.all().delete()
    config.load(exported)
    assert everything() == before
    assert config.export() == exported


@pytest.mark.parametrize(
    "text", ["\ud800", FULL + "# \udfff", FULL.replace('name = "Groq"', 'name = "Gr\udc80q"')]
)
def test_half_of_a_surrogate_pair_is_a_mistake_in_the_file(text):
    with pytest.raises(config.ConfigError) as caught:
        config.load(text)
    assert caught.value.errors[0].startswith("no text in Unicode")
    assert not Provider.objects.exists()
