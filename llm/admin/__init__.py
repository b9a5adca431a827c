"""The stock Django admin for the chain: configuration is edited, state and ledger are read."""

from llm.admin import cache, clients, configuration, ledger, parity, retirement, state

__all__ = ["cache", "clients", "configuration", "ledger", "parity", "retirement", "state"]
