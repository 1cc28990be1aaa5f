"""What the parser needs to know of arguments; a module of its own, since every command of the group loads it."""

from __future__ import annotations

OF_ARTIFACT = ("artifact", "registry_name", "image", "suffix")
"""Names of the arguments that become `artifact`."""
OF_LOGIN = ("username", "password", "password_stdin", "auth_mode")
"""Names of the arguments that become `login`."""
AUTH_MODES = ("auto", "login", "environment", "docker", "admin", "anonymous")
"""Ways to sign in."""


def is_server(first: str) -> bool:
    """Return whether *first*, the text before a slash, is a server, not the beginning of a repository's name."""
    return "." in first or ":" in first or first == "localhost"
