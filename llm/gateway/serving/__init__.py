"""HTTP, whatever the protocol: bodies as they come, headers and streams as they go."""
