"""How a providers file is refused: with every place and every reason, never with a secret."""

from collections.abc import Iterable


class ConfigError(ValueError):
    """A providers file that cannot be loaded. `errors` holds one line a mistake; nothing was changed."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(self.errors))


class FieldError(ValueError):
    """One value that its field does not take. The text goes behind the field's name: "must be …"."""
