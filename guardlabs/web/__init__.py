"""What every request passes through: addresses, headers, ids, uploads."""
