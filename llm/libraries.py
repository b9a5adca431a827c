"""Which libraries the kinds of providers need, besides those that the app always has."""

from functools import cache
from importlib.util import find_spec

EXTRAS = {"vertex": ("google.genai", "google.oauth2.service_account")}  # kind, and extra: what it imports


def missing_library(kind: str) -> str:
    """Why no provider of that kind can be called here; empty when its libraries are installed."""
    return "" if _has(kind) else f"not installed: pip install 'guardlabs-llm[{kind}]'"


@cache
def _has(kind: str) -> bool:
    try:
        return all(find_spec(name) is not None for name in EXTRAS.get(kind, ()))
    except ImportError:  # not even the package around it
        return False
