"""Questions, answers, incidents and attack paths, in every language. Imports models."""
