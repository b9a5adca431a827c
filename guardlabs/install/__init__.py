"""What a fresh checkout is given: its programs and its message catalogues. Imports nothing of the project."""
