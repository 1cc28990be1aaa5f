"""WWW-Authenticate challenges (RFC 9110 §11.6.1).

There are commas inside quotes (`scope="repository:a:pull,push"`), so the value is scanned and not split at commas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)(?:\s+|$)")
_PARAMETER = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')


@dataclass(frozen=True)
class Challenge:
    """The first challenge of a header. *scheme* is lower case. Both are empty if the header is missing or malformed."""

    scheme: str
    parameters: Mapping[str, str]

    @property
    def insufficient_scope(self) -> bool:
        """Whether the token is valid but the permission is missing, so that signing in again would not help."""
        return self.parameters.get("error") == "insufficient_scope"

    def actions(self, kind: str, name: str) -> frozenset[str]:
        """Return the actions that the challenge asks for on the resource *name* of type *kind*."""
        scopes = self.parameters.get("scope", "").split()
        prefix = f"{kind}:{name}:"
        asked = [scope.removeprefix(prefix).split(",") for scope in scopes if scope.startswith(prefix)]
        return frozenset(action for actions in asked for action in actions)


def parse_challenge(header: str) -> Challenge:
    """Parse the first challenge of *header*. A malformed header gives an empty challenge."""
    scheme = _SCHEME.match(header)
    if not scheme:
        return Challenge("", {})
    parameters: dict[str, str] = {}
    position = scheme.end()
    while match := _PARAMETER.match(header, position):
        quoted, plain = match.group(2), match.group(3)
        value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        parameters.setdefault(match.group(1).lower(), value)
        position = match.end()
    return Challenge(scheme.group(1).lower(), parameters)
