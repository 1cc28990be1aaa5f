"""Names that declaring and checking arguments needs: a module of its own, since objects take long to load."""

from __future__ import annotations

OF_ARTIFACT = ("artifact", "registry_name", "image", "suffix")
OF_LOGIN = ("username", "password", "password_stdin", "auth_mode")
"""Names of the arguments that become `artifact` and `login`."""
AUTH_MODES = ("auto", "login", "environment", "docker", "admin", "anonymous")
"""Ways to sign in."""


def is_server(first: str) -> bool:
    """Return whether *first*, the text before a slash, is a server, not the beginning of a repository's name."""
    return "." in first or ":" in first or first == "localhost"
