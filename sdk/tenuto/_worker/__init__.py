"""The IO around the pure core: pollers, sticky cache, activity execution, heartbeats, graceful stop."""
