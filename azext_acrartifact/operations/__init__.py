"""The product: one verb a file, readable from top to bottom."""
