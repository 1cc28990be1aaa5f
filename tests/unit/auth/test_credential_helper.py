"""Credential helpers that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_acrartifact.auth.credential_helper import CredentialHelper
from azext_acrartifact.errors import SignInError

S = "myregistry.azurecr.io"


@pytest.mark.parametrize(
    ("script", "why"),
    [("echo locked >&2; exit 2", "locked"), ("exit 3", "code 3"), ("echo []", "protocol"), ("echo {}", "protocol"),
     ("echo nothing", "protocol")],
)  # fmt: skip
def test_a_failing_helper_is_named(helper, script: str, why: str) -> None:
    helper(script)
    with pytest.raises(SignInError, match=why) as caught:
        CredentialHelper("s").get(S)
    assert caught.value.where == "docker-credential-s"


@pytest.mark.parametrize("verb", ["get", "store", "erase"])
def test_what_a_failing_helper_prints_is_not_shown(helper, verb: str) -> None:
    """Show no standard output, which may be a secret, and no secret that standard error repeats."""
    helper("""echo '{"Username":"me","Secret":"not-yet-known"}'; cat >&2; exit 4""")
    failing = CredentialHelper("s")
    actions = {
        "get": lambda: failing.get(S),
        "store": lambda: failing.store(S, "me", "given-secret"),
        "erase": lambda: failing.erase(S),
    }
    with pytest.raises(SignInError, match="failed") as caught:
        actions[verb]()
    assert "not-yet-known" not in str(caught.value)
    assert "given-secret" not in str(caught.value)
    helper("echo not-yet-known; exit 4")
    with pytest.raises(SignInError, match="code 4"):
        actions[verb]()


def test_a_secret_of_a_helper_is_never_repeated(helper) -> None:
    helper("""echo '{"Username":"me","Secret":"from the keychain"}'""")
    assert CredentialHelper("s").get(S) == ("me", "from the keychain")
    assert SignInError("It failed", why="at /a/from%20the%20keychain").why == "at /a/…"


def test_not_found_is_an_error_only_for_a_store(helper) -> None:
    helper("echo credentials not found; exit 1")
    assert CredentialHelper("s").get(S) is None
    CredentialHelper("s").erase(S)
    with pytest.raises(SignInError, match="code 1"):
        CredentialHelper("s").store(S, "me", "secret")


@pytest.mark.parametrize("name", ["absent", "../evil", "a/b", "-x"])
def test_a_missing_helper(name: str) -> None:
    with pytest.raises(SignInError, match="not installed"):
        CredentialHelper(name).get(S)


def test_a_helper_that_hangs(helper) -> None:
    helper("exec sleep 30")
    with pytest.raises(SignInError, match="did not end"):
        CredentialHelper("s", timeout=0.3).get(S)


def test_a_helper_that_cannot_be_started(helper, tmp_path: Path) -> None:
    helper("")
    (tmp_path / "docker-credential-s").write_text("#!/no/such/shell\n")
    with pytest.raises(SignInError, match="No such file"):
        CredentialHelper("s").get(S)
