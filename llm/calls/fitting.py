"""`max_tokens` is a cap: what is asked for is lowered to what a deployment can give; and what it then costs at most."""

from decimal import Decimal

from llm.calls.deployment import Deployment
from llm.calls.spec import CallSpec
from llm.configuration.limits import InForce
from llm.configuration.prices import MILLION

ABOVE_LIMIT = "request above limit"
LEAST_OUT = 256  # tokens: where no more than that would fit, the deployment has no room
FAIR_OUT = 2048  # tokens: less is not given to leave room for another call
UNKNOWN_MAX_OUTPUT = (
    8192  # of a model whose own maximum nobody has stated; nearly all that are served write more
)


def fitted(
    deployment: Deployment,
    want: CallSpec,
    limits: InForce | None = None,
    *,
    tokens_left: int | None = None,
    usd_left: Decimal | None = None,
) -> CallSpec:
    """The same call with `max_tokens` lowered to what this deployment can give; unchanged where that is too little.

    limits: those in force; the configured ones if None. A cap that the caller has named is lowered to what fits at all.
    One that nobody has named is the model's own maximum, within half of the smallest limit, so that two calls fit, and
    within `usd_left`, the USD that may still be spent. Where a cap is lowered, it is to `tokens_left`, what may be
    written now, rather than to wait for all of a minute.
    """
    model, price = deployment.model, deployment.model.price
    if model.max_output is not None:
        want = want.at_most(min(want.max_tokens, max(model.max_output - model.reasoning_reserve, 1)))
    room = _room_out(deployment, want, limits)
    most = [want.max_tokens]
    if model.context is not None:
        most.append(model.context - want.tokens_in - model.reasoning_reserve)
    if room is not None:
        most.append(room)
        if not want.named:
            most.append(max(room // 2, min(room, FAIR_OUT)))
        if tokens_left is not None and (not want.named or want.max_tokens > room):
            most.append(max(tokens_left, min(room, FAIR_OUT)))
    if not want.named and usd_left is not None and price.per_million_in is not None and price.per_million_out:
        left = usd_left * MILLION - price.per_million_in * max(want.most_in, want.tokens_in)
        most.append(int(left / price.per_million_out) - model.reasoning_reserve)
    lowered = min(most)
    return want if lowered < min(LEAST_OUT, want.max_tokens) else want.at_most(lowered)


def is_elastic(deployment: Deployment, want: CallSpec, limits: InForce) -> bool:
    """Whether the cap is lowered to what is left of a limit: nobody has named it, or nobody could have all of it."""
    room = _room_out(deployment, want, limits)
    return room is not None and (not want.named or want.max_tokens > room)


def _room_out(deployment: Deployment, want: CallSpec, limits: InForce | None) -> int | None:
    """Tokens that an answer may have within the smallest limit, if nobody else uses any of it; None without one."""
    model = deployment.model
    most = (model.in_force if limits is None else limits).most_out(want.tokens_in)
    return None if most is None else int(most) - model.reasoning_reserve


def is_above_context(deployment: Deployment, want: CallSpec) -> bool:
    """Whether the request leaves no room for an answer in the model's window."""
    model = deployment.model
    if model.context is None:
        return False
    return want.tokens_in + model.reasoning_reserve + min(LEAST_OUT, want.max_tokens) > model.context


def worst_cost(deployment: Deployment, want: CallSpec) -> Decimal | None:
    """The most that the call can cost here, in USD; None when the price is unknown."""
    most_in = max(want.most_in, want.tokens_in)
    return deployment.model.price.most(most_in, want.max_tokens + deployment.model.reasoning_reserve)
