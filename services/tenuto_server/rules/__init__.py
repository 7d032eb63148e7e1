"""Pure rules that several services keep: what a retry policy or a cron schedule must be, and what follows from it."""
