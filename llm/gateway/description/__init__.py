"""What the gateway says of itself to programs."""
