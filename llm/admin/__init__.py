"""The stock Django admin for the chain: configuration is edited, state and ledger are read."""

from llm.admin import clients, configuration, ledger, state

__all__ = ["clients", "configuration", "ledger", "state"]
