"""Signing in: from an identity to an Authorization header, renewed for as long as a command lasts."""
