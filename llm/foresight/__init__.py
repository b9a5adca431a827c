"""What is coming: forecast, parity, retirements, the daily check of providers. Imports chain and below."""
