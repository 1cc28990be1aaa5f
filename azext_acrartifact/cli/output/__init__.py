"""What the user sees: JSON, tables, progress, questions."""
