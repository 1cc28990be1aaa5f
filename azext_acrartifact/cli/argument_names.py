"""Names that the parser needs; a module of its own, since it is loaded for every command of the group."""

from __future__ import annotations

OF_ARTIFACT = ("artifact", "registry_name", "image", "suffix")
"""Names of the arguments that become `artifact`."""
OF_LOGIN = ("username", "password", "password_stdin", "auth_mode")
"""Names of the arguments that become `login`."""
AUTH_MODES = ("auto", "login", "environment", "docker", "admin", "anonymous")
"""Ways to sign in."""
