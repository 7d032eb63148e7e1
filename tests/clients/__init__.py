"""Foreign clients, unmodified, against a real server."""
