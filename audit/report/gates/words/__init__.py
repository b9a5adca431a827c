"""What the gates know of the three languages."""
