"""Where providers, keys and the chain stand, for people to read. Imports chain and what is below it."""
