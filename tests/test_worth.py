"""What a door's limits are worth: calls a day by size, and what one more account or model adds."""

from decimal import Decimal

import pytest

from llm.configuration.limits import Limit
from llm.configuration.prices import FREE
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.foresight.worth import REPORT, Size, worth

CHAT = Size("chat", 3500, 500)


def provider(*limits, models=1, accounts=1, **quotas):
    names = [f"m{n}" for n in range(models)]
    return ProviderConf(
        slug="p", kind="openai", base_url="", tier=Decimal(1), free=True, keyless=False, first_byte_s=1, timeout_s=1,
        daily_budget_usd=None, credit_usd=None, credit_until=None, demote_after_h=24, day_reset="utc", project="",
        locations=(),
        models=tuple(ModelConf(name, {}, 0, FREE, shared=limits, **quotas) for name in names),
        keys=tuple(KeyConf(f"k{n}", f"a{n}", "x") for n in range(accounts)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "quotas", "a_day"),
    [
        ((), {"rpd": 50}, 50),
        ((), {"tpd": 200_000}, 50),
        ((), {"rpm": 1, "rpd": 10_000}, 1440),
        ((Limit("account", "hour", "requests", 5),), {}, 120),
        ((Limit("account", "month", "requests", 300),), {}, 10),
        ((Limit("model", "day", "tokens_in", 35_000),), {}, 10),
        ((Limit("account", "day", "units", 1000, units_in=10_000, units_out=130_000),), {}, 10),
        ((), {"tpm": 3999, "rpd": 50}, 0),  # one is above the limit
        ((), {"context": 3000, "rpd": 50}, 0),
        ((), {}, None),
    ],
)
def test_calls_of_a_size_a_day(limits, quotas, a_day):
    assert worth(provider(*limits, **quotas), {}, [CHAT]).a_day == (a_day,)


def test_a_shared_pool_is_worth_the_same_with_one_more_model_and_twice_with_one_more_account():
    found = worth(provider(Limit("account", "day", "requests", 50), models=3), {}, [REPORT])
    assert (found.a_day, found.model, found.account) == ((50,), (0,), (50,))


def test_a_quota_of_each_model_grows_with_models():
    found = worth(provider(rpd=100, models=2, accounts=2), {}, [REPORT])
    assert (found.a_day, found.model, found.account) == ((400,), (200,), (200,))


def test_what_is_counted_by_the_address_grows_with_neither():
    found = worth(provider(Limit("provider", "hour", "requests", 200), accounts=2), {}, [REPORT])
    assert (found.a_day, found.model, found.account) == ((4800,), (0,), (0,))
