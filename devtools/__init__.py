"""The chores of `dev.py`, one module each. Standard library only: some run before anything is installed."""
