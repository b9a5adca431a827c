"""Base classes of an admin that reads without changing, and filters by what it shows. Public: other apps use them."""

from llm.admin_base.labels import translate_columns
from llm.admin_base.lookups import AllowedLookups, where
from llm.admin_base.reading import CappedPaginator, ReadOnly, ReadOnlyAdmin

__all__ = ["AllowedLookups", "CappedPaginator", "ReadOnly", "ReadOnlyAdmin", "translate_columns", "where"]
