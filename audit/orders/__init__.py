"""The manual audit: orders, payments, letters, the delivered report. Imports report and below."""
