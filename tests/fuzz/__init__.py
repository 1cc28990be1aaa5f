"""Fuzz targets: each one accepts any bytes, and raises when the core breaks a promise on them."""
