"""Output for the user: JSON, tables, progress, questions."""
