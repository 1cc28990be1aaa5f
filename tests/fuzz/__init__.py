"""Fuzz targets: each takes any bytes, and raises when what the core makes of them breaks a promise."""
