"""check-access: lists the actions that the registry grants to an identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..auth.claims import claims_of, granted_actions
from ..auth.credentials import Credential
from ..auth.endpoint import TokenEndpoint
from ..auth.rights import denied, needed_for
from ..errors import ProtocolError
from ..transport.authorization import DELETE, METADATA_READ, METADATA_WRITE, PULL, PUSH, Scope

ACTIONS = (PULL, PUSH, DELETE, METADATA_READ, METADATA_WRITE)
"""The actions on a repository."""
MOST_REPOSITORIES = 10
"""Repositories in one token. A token is sent in a header, and servers limit the size of headers."""


@dataclass(frozen=True)
class Access:
    """An *action* on a *repository*: whether it is *allowed*, and the *role* that allows it, or for a token the action
    in its scope map."""

    repository: str
    action: str
    allowed: bool
    role: str


def check_access(
    endpoint: TokenEndpoint, credential: Credential, repositories: Sequence[str], actions: Sequence[str]
) -> list[Access]:
    """Request tokens for *actions* on *repositories*, and return which of these they grant.

    Sends no other request, so a repository need not exist. Raises `SignInError` without a usable identity.
    """
    found: list[Access] = []
    for names in _batches(list(dict.fromkeys(repositories))):
        claims = claims_of(credential.access_token(endpoint, [Scope.of(name, *actions) for name in names]))
        if not claims:
            raise ProtocolError("The access token does not list the granted actions", where=endpoint.server)
        for name in names:
            granted = granted_actions(claims, name)
            found += [
                Access(name, action, action in granted, needed_for([action], credential.granting))
                for action in dict.fromkeys(actions)
            ]
    return found


def require_all(found: Sequence[Access], endpoint: TokenEndpoint, credential: Credential) -> None:
    """Raise the `PermissionDeniedError` that a command would raise which needs all actions of *found*. It names the
    first repository where one is missing."""
    missing = [one for one in found if not one.allowed]
    if missing:
        name = missing[0].repository
        actions = [one.action for one in missing if one.repository == name]
        raise denied(actions, credential.granting, credential.name, f"{endpoint.server}/{name}")


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), MOST_REPOSITORIES):
        yield names[start : start + MOST_REPOSITORIES]
