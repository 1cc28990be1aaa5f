"""Pack folders into compressed layers, and unpack layers that may be hostile."""
