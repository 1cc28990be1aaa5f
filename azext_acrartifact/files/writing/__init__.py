"""How a pull writes: temporary files, resumable files and staged folders, each moved to its name when it is right."""
