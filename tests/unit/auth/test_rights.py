"""Missing permissions in words, and the roles that have them."""

from __future__ import annotations

import pytest

from azext_acrartifact.auth.rights import Granting, denied, granting_of, granting_of_user, needed_for

CLIENT = "11111111-2222-3333-4444-555555555555"
READER, WRITER = "Container Registry Repository Reader", "Container Registry Repository Writer"
CONTRIBUTOR = "Container Registry Repository Contributor"


def test_the_refresh_token_shows_the_mode() -> None:
    assert granting_of({"aad_identity": "x"}) is Granting.REPOSITORY_ROLES
    assert granting_of({"sub": "x"}) is Granting.REGISTRY_ROLES
    assert granting_of({}) is Granting.EITHER_ROLES
    assert granting_of_user(CLIENT) is Granting.EITHER_ROLES
    assert granting_of_user("ci-token") is Granting.SCOPE_MAP


@pytest.mark.parametrize(
    ("actions", "of_registry", "of_repositories", "of_token"),
    [
        (["pull"], "AcrPull", READER, "content/read"),
        (["pull", "push"], "AcrPush", WRITER, "content/read and content/write"),
        (["push", "delete"], "AcrPush and AcrDelete", CONTRIBUTOR, "content/write and content/delete"),
        (["metadata_read", "delete"], "AcrDelete and AcrPull", CONTRIBUTOR, "content/delete and metadata/read"),
        (["untag"], "AcrDelete", WRITER, "content/delete"),
        (["metadata_write"], "AcrPush", WRITER, "metadata/write"),
        (["*"], "AcrPull", "Container Registry Repository Catalog Lister", ""),
    ],
)
def test_only_what_is_missing_is_asked_for(
    actions: list[str], of_registry: str, of_repositories: str, of_token: str
) -> None:
    assert needed_for(actions, Granting.REGISTRY_ROLES) == of_registry
    assert needed_for(actions, Granting.REPOSITORY_ROLES) == of_repositories
    assert needed_for(actions, Granting.SCOPE_MAP) == of_token
    assert needed_for(actions, Granting.NOTHING) == ""
    assert needed_for(actions, Granting.EITHER_ROLES).startswith(f"{of_registry}, or {of_repositories} in a registry")


@pytest.mark.parametrize(
    ("granting", "hint"),
    [
        (Granting.REGISTRY_ROLES, "Ask the registry's owner for the role AcrPull. A new role"),
        (Granting.SCOPE_MAP, "A token with a scope map cannot do that"),
        (Granting.NOTHING, "Sign in: az login"),
    ],
)
def test_the_error_is_in_words(granting: Granting, hint: str) -> None:
    error = denied(["*"], granting, "user 'me'", "r")
    assert error.message == "No permission (r): user 'me' may not list repositories here"
    assert error.hint.startswith(hint)
