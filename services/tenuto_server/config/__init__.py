"""Settings that change while a process runs, and what a process takes from outside: clock, randomness, ids."""
