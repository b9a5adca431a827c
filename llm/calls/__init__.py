"""What a call is: what it needs, where it may go, what it tells and returns. Data alone. Imports configuration."""
