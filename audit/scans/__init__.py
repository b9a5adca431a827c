"""Scans: made, found, shared, reviewed, compared. Imports bank, scoring, models."""
