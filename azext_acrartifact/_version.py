"""The extension's version: setup.py, HISTORY.rst and the User-Agent agree on it."""

VERSION = "0.1.0"
