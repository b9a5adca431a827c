"""How 12 answers become a score. Pure: imports nothing of the project."""
