"""Providers, models, keys: providers file, presets, secrets, and the snapshot that calls read. Imports models."""
