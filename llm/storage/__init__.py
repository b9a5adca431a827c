"""How the chain stores: write transactions in turn, sums that are kept, errors of the database. Imports models."""
