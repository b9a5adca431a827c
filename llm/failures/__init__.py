"""What a failure is, whose it is, and what is not tried for how long. Imports limits, configuration, models."""
