"""The commands between Azure CLI and `operations`: from typed arguments to an order, from a result to output."""
