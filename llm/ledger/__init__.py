"""Every call and attempt, written before it happens and finished after. Imports configuration, models."""
