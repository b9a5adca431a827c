"""What a failure is and whose it is, judged from what a provider said. Pure: imports text alone."""
