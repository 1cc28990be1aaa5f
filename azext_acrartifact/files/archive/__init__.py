"""Folders as layers: packed, compressed, read strictly and unpacked."""
