"""The site as a whole: settings, URLs, and what surrounds its apps. Nothing below imports it."""

__version__ = "0.1.0"
