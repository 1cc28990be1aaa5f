"""Write files and folders for a pull: temporary first, and under their final name once they are verified."""
