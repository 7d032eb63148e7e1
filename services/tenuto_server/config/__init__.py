"""Settings and what a process takes from outside: clock, randomness, ids."""
