"""Signatures of the Notary Project: their format, the certificates behind them, and which of them are trusted.

Nothing here talks to a registry. Only the commands that sign or verify import this package, since it needs
`cryptography` (https://github.com/notaryproject/specifications).
"""
