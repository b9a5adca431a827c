"""The stock Django admin for the chain: configuration is edited, state and ledger are read."""

from llm.admin import cache, configuration, ledger, parity, retirement, state

__all__ = ["cache", "configuration", "ledger", "parity", "retirement", "state"]
