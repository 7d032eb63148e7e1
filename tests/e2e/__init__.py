"""Real processes: servers and workers that are started, killed and started again."""
