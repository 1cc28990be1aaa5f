"""Signing in: from an identity to an Authorization header, which is renewed while a command runs."""
