"""What runs beside the requests: chores, copies, letters, metrics, health, logs, the drill."""
