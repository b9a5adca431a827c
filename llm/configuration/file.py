"""The providers file: configuration in, configuration out. The command `providers` is a thin shell of it."""

from pathlib import Path

from llm.configuration import loading, schema
from llm.configuration.errors import ConfigError
from llm.configuration.exporting import export
from llm.configuration.loading import Summary

__all__ = ["ConfigError", "Summary", "export", "load", "load_file"]


def load(text: str) -> Summary:
    """Loads a providers file; returns what was created and changed.

    Fields that the file does not name, and rows that it does not name, stay as they are. The order of
    the file becomes the order within a tier. Raises ConfigError (`errors`: one line a mistake) and
    changes nothing when anything in it is wrong.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, which no file and no database can hold
        raise ConfigError([f"no text in Unicode (character {error.start})"]) from None
    return loading.apply(schema.parse(text))


def load_file(path: str | Path) -> Summary:
    """The same for a file. One that cannot be read is a ConfigError, too."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([f"cannot read {path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path} is not UTF-8 (byte {error.start})"]) from None
    return load(text)
