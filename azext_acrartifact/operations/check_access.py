"""check-access: which actions an identity holds, by the registry's own word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..auth.claims import claims_of, granted_actions
from ..auth.credentials import Credential
from ..auth.endpoint import TokenEndpoint
from ..auth.tokens import ROLES
from ..errors import ProtocolError
from ..transport.authorization import DELETE, METADATA_READ, METADATA_WRITE, PULL, PUSH, Scope

ACTIONS = (PULL, PUSH, DELETE, METADATA_READ, METADATA_WRITE)
"""What a repository knows."""
MOST_REPOSITORIES = 10
"""How many repositories one token is asked for; a token travels in a header, which servers bound."""


@dataclass(frozen=True)
class Access:
    """Whether *action* is *allowed* on *repository*; *role* is what to ask for."""

    repository: str
    action: str
    allowed: bool
    role: str


def check_access(
    endpoint: TokenEndpoint, credential: Credential, repositories: Sequence[str], actions: Sequence[str]
) -> list[Access]:
    """Ask for tokens with *actions* on *repositories*, and read what they grant. Nothing else is touched.

    A repository need not exist. Raises `SignInError` without a usable identity.
    """
    found: list[Access] = []
    for names in _batches(list(dict.fromkeys(repositories))):
        claims = claims_of(credential.access_token(endpoint, [Scope.of(name, *actions) for name in names]))
        if not claims:
            raise ProtocolError("The registry's token does not say what it allows", where=endpoint.server)
        for name in names:
            granted = granted_actions(claims, name)
            found += [Access(name, action, action in granted, ROLES[action]) for action in dict.fromkeys(actions)]
    return found


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), MOST_REPOSITORIES):
        yield names[start : start + MOST_REPOSITORIES]
