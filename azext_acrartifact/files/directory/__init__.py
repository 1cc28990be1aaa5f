"""An open folder of the user's, and what holds it on each system."""
