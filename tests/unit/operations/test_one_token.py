"""One token for two repositories, as a mount from one to the other needs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
