"""The identity that a command uses."""
