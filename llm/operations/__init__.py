"""What staff are told, and when the chain looks after itself. Imports calls and what is below it."""
