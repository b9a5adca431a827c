"""The JSON API. It does what the pages do, through the same functions."""
