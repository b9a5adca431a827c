"""What must not reach a log: the token of a result page is the key to somebody's answers."""

import logging
import re

TOKEN = re.compile(r"(?<=/r/)[\w.:=-]+|(?<=/scans/)[\w.:=-]+|(?<=/order/)[\w.:=-]{20,}")


def redact(text: str) -> str:
    """The text with every result token replaced by `***`."""
    return TOKEN.sub("***", text)


class RedactTokens(logging.Filter):
    """Renders the message early and takes tokens out of it (and out of tracebacks' first line)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True
