"""Responses that were given before, and identical calls that wait for one of them. Imports ledger and below."""
