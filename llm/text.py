"""Text from outside, made fit for storing."""


def mend(text: str) -> str:
    """The text without NUL and without half characters (JSON may hold `\\ud83d` alone), which no database takes."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_half(char: str) -> bool:
    """Whether this is the first half of a character whose second half may follow."""
    return "\ud800" <= char <= "\udbff"
