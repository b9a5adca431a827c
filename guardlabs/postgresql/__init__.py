"""Django's PostgreSQL backend, with a limit to how long a client waits for a server that says nothing."""
