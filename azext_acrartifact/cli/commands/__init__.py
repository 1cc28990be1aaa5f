"""The functions that Azure CLI calls, one file a command or family."""
