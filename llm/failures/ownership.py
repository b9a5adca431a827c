"""Whose failure an attempt was that ended without an answer of the provider's: decided from facts, not from prose.

A provider fails when it is silent for as long as it may be, or says so. Time that the caller, or the
caller's other providers, did not have is no failure of the provider; an error in our own code is neither's.
"""

import logging

from llm.failures.kinds import Failure, Kind, Owner

log = logging.getLogger(__name__)

UNSENDABLE = {"LocalProtocolError", "UnsupportedProtocol", "InvalidURL"}  # httpx's, of either generation
TIMER_SLACK = 0.98  # a wait may end a little before its time, by the clock that we measure with


def out_of_time(*, silent_s: float, patience_s: float) -> Failure:
    """The failure of an attempt that ended because its time did.

    silent_s: seconds since it began, or since something last came
    patience_s: seconds that the provider may be silent: its `first_byte_s`, `timeout_s` or idle limit
    """
    if silent_s >= patience_s * TIMER_SLACK:
        return Failure(Kind.PROVIDER_DOWN, "no answer in the time given", silent=True)
    return Failure(Kind.CUT_SHORT, f"ended by the call's own time limit, after {silent_s:.1f} s of silence")


def of_ours(error: BaseException) -> Failure:
    """The failure that an unexpected exception is: a bug. Logged with its traceback; says nothing of the provider."""
    name = type(error).__name__
    log.error("%s while asking a provider: an error of our own", name, exc_info=error)
    return Failure(Kind.REQUEST_REJECTED, f"an error of our own ({name}), see the log", owner=Owner.OURS)


def unsendable(error: BaseException) -> Failure:
    """The failure of a request that our own library refused to build or to send: nothing reached the provider.

    The library's words are not kept, they may hold the request's or the key's.
    """
    if isinstance(error, ValueError | TypeError) or type(error).__name__ in UNSENDABLE:
        return Failure(Kind.REQUEST_REJECTED, f"the request could not be built ({type(error).__name__})")
    return of_ours(error)
