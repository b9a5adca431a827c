"""How the site is served: gunicorn's ASGI worker, connections whose patience ends, and what runs on loop or thread."""
