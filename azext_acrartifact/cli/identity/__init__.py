"""Which identity a command uses."""
