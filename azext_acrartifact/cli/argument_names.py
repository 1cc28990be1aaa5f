"""Names that declaring and checking arguments needs: a module of its own, since objects take long to load."""

from __future__ import annotations

import re

OF_ARTIFACT = ("artifact", "registry_name", "image", "suffix")
OF_LOGIN = ("username", "password", "password_stdin", "auth_mode")
"""Names of the arguments that become `artifact` and `login`."""
AUTH_MODES = ("auto", "login", "environment", "docker", "admin", "anonymous")
"""Ways to sign in."""
_AROUND = " \t\r\n'\"`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
"""Blanks and quotes, which no name contains: cmd.exe and pasted text leave them."""
_SCHEME = re.compile(r"^(?:https?|oci|docker)://", re.IGNORECASE)


def plain_name(typed: str) -> str:
    """Return the name of an artifact, a repository, a registry or a tag without quotes around it, its scheme, and
    slashes at its end."""
    return _SCHEME.sub("", typed.strip(_AROUND), count=1).rstrip("/")


def is_server(first: str) -> bool:
    """Return whether *first*, the text before a slash, is a server, not the beginning of a repository's name."""
    return "." in first or ":" in first or first.lower() == "localhost"


def is_same_registry(registry: str, server: str) -> bool:
    """Return whether *registry*, a name or a login server, may be the one at *server*: NAME-HASH.azurecr.io has the
    name NAME."""
    label = server.lower().partition(".")[0]
    return registry.lower() in (server.lower(), label, label.partition("-")[0])
