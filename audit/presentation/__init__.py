"""What the pages show, worked out from data. Imports orders, report and below."""
