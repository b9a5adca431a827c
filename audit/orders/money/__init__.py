"""Payments, refunds and disputes of orders, as rows and as Stripe knows them."""
