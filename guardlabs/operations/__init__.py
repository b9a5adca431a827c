"""What runs beside the requests: background work, copies, letters, metrics, health, logs, the drill."""
