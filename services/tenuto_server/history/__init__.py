"""The history service: owns shards, decides what happens to workflows, and makes it durable in one log a process."""
