"""Who may call through the gateway, their keys and limits. Imports ledger, models."""
