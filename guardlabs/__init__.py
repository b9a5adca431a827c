"""The site as a whole: settings, URLs, and what surrounds its apps. Nothing below imports it."""

from llm import __version__

__all__ = ["__version__"]
