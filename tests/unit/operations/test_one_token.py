"""One token for two repositories, as a mount from one to the other needs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acr_emulator.world import RoleAssignment
from azext_acrartifact.auth.claims import claims_of, granted_actions
from azext_acrartifact.errors import PermissionDeniedError
from azext_acrartifact.transport.authorization import PULL, PUSH, Scope

TARGET = Scope.of("samples/target", PULL, PUSH)


def test_it_grants_both(signed_in) -> None:
    authorizer = signed_in().authorizer
    both = authorizer.authorization(replace(TARGET, source="samples/source"))
    claims = claims_of(both.removeprefix("Bearer "))
    assert granted_actions(claims, "samples/target") == {PULL, PUSH}
    assert granted_actions(claims, "samples/source") == {PULL}
    assert authorizer.authorization(replace(TARGET, source="samples/source")) == both


def test_it_is_another_than_that_for_one(signed_in) -> None:
    authorizer = signed_in().authorizer
    one = authorizer.authorization(TARGET)
    assert authorizer.authorization(replace(TARGET, source="samples/source")) != one
    assert granted_actions(claims_of(one.removeprefix("Bearer ")), "samples/source") == set()
    assert authorizer.authorization(TARGET) == one


def test_reading_the_source_gives_no_right_to_the_target(signed_in) -> None:
    with pytest.raises(PermissionDeniedError, match="may not push"):
        signed_in("reader").authorizer.authorization(replace(TARGET, source="samples/source"))


def test_one_of_several_actions_is_enough(signed_in, app) -> None:
    scope = Scope.of_untagging("samples/target", PULL)
    assert signed_in().authorizer.authorization(scope)
    with pytest.raises(PermissionDeniedError, match="may not remove tags"):
        signed_in("reader").authorizer.authorization(scope)
    writer = RoleAssignment(app.world.principals[2].object_id, "AcrPush")
    app.world.registries[0].roles.append(writer)
    try:
        registry = signed_in("nobody")
        token = registry.authorizer.authorization(scope)
        assert granted_actions(claims_of(token.removeprefix("Bearer ")), "samples/target") >= {PULL, "metadata_write"}
        with pytest.raises(PermissionDeniedError, match="delete"):  # which a registry without ABAC wants
            registry.metadata.untag("samples/target", "1")
    finally:
        app.world.registries[0].roles.remove(writer)


def test_ten_repositories_share_a_token(signed_in, app) -> None:
    scopes = [Scope.of(f"samples/r{number}", PULL, PUSH) for number in range(12)]
    authorizer = signed_in().authorizer
    authorizer.prepare(scopes)
    assert len({authorizer.authorization(scope) for scope in scopes}) == 2
    assert sum("/oauth2/token" in entry["path"] for entry in app.log.entries()) == 2
    authorizer.prepare(scopes)
    assert sum("/oauth2/token" in entry["path"] for entry in app.log.entries()) == 2
