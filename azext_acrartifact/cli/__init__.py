"""The face, below Azure CLI's own file names: from typed arguments to an order, and from a result to output."""
