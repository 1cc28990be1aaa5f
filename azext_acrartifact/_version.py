"""The extension's version: setup.py, HISTORY.rst and the User-Agent agree on it."""

VERSION = "1.0.0b1"
