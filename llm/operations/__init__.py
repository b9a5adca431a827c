"""What staff are told."""
