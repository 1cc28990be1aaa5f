"""Credential helpers that fail."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from azext_acrartifact.auth.credential_helper import SUFFIXES, CredentialHelper, find_program
from azext_acrartifact.errors import SignInError
from tests.support.system import WINDOWS, link

S = "myregistry.azurecr.io"


@pytest.mark.parametrize(
    ("script", "why"),
    [("sys.exit('locked')", "locked"), ("sys.exit(3)", "code 3"), ("print([])", "protocol"), ("print({})", "protocol"),
     ("print('nothing')", "protocol")],
)  # fmt: skip
def test_a_failing_helper_is_named(helper, script: str, why: str) -> None:
    helper(script)
    with pytest.raises(SignInError, match=why) as caught:
        CredentialHelper("s").get(S)
    assert caught.value.where == "docker-credential-s"


@pytest.mark.parametrize("verb", ["get", "store", "erase"])
def test_what_a_failing_helper_prints_is_not_shown(helper, verb: str) -> None:
    """Show no standard output, which may be a secret, and no secret that standard error repeats."""
    helper("""print('{"Username":"me","Secret":"not-yet-known"}'); sys.stderr.write(text); sys.exit(4)""")
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
    helper("print('not-yet-known'); sys.exit(4)")
    with pytest.raises(SignInError, match="code 4"):
        actions[verb]()


def test_a_secret_of_a_helper_is_never_repeated(helper) -> None:
    helper("""print('{"Username":"me","Secret":"from the keychain"}')""")
    assert CredentialHelper("s").get(S) == ("me", "from the keychain")
    assert SignInError("It failed", why="at /a/from%20the%20keychain").why == "at /a/…"


def test_not_found_is_an_error_only_for_a_store(helper) -> None:
    helper("print('credentials not found'); sys.exit(1)")
    assert CredentialHelper("s").get(S) is None
    CredentialHelper("s").erase(S)
    with pytest.raises(SignInError, match="code 1"):
        CredentialHelper("s").store(S, "me", "secret")


@pytest.mark.parametrize("name", ["absent", "../evil", "a/b", "-x"])
def test_a_missing_helper(name: str) -> None:
    with pytest.raises(SignInError, match="not installed"):
        CredentialHelper(name).get(S)


def test_a_helper_that_hangs(helper) -> None:
    helper("time.sleep(3)")
    with pytest.raises(SignInError, match="did not end"):
        CredentialHelper("s", timeout=0.3).get(S)


def test_a_helper_that_cannot_be_started(helper, tmp_path: Path) -> None:
    helper("")
    (tmp_path / f"docker-credential-s{SUFFIXES[0]}").write_text("#!/no/such/shell\n")
    with pytest.raises(SignInError, match=r"No such file|EXE format|Win32"):
        CredentialHelper("s").get(S)


@contextlib.contextmanager
def within(folder: Path) -> Iterator[None]:
    """Make *folder* the current one."""
    before = os.getcwd()
    os.chdir(folder)
    yield
    os.chdir(before)


def program(folder: Path, name: str) -> Path:
    """Create the program *name* in *folder*."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("entry", ["", ".", "./", "bin", "../here", "{here}", "{here}/../here/.", "{link}", "{gone}"])
@pytest.mark.parametrize("suffix", ["", ".exe", ".bat"])
def test_no_program_of_the_current_folder_is_found(tmp_path: Path, entry: str, suffix: str) -> None:
    here, right = tmp_path / "here", program(tmp_path / "right", f"docker-credential-x{suffix}")
    program(here, right.name)
    program(here / "bin", right.name)
    link(tmp_path / "link", here)
    planted = entry.format(here=here, link=tmp_path / "link", gone=tmp_path / "gone")
    with within(here):
        assert find_program("docker-credential-x", [planted], [suffix]) is None
        assert find_program("docker-credential-x", [planted, str(right.parent)], [".com", suffix]) == str(right)


def test_the_first_program_of_path_is_found(tmp_path: Path) -> None:
    first, second = (program(tmp_path / name, "x.exe") for name in "ab")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "x.exe").mkdir()
    if not WINDOWS:
        program(tmp_path / "d", "x.exe").chmod(0o644)
    folders = [str(tmp_path / name) for name in "cdab"]
    assert find_program("x", folders, [".exe"]) == str(first)
    first.unlink()
    assert find_program("x", folders, [".exe"]) == str(second)


def test_a_helper_runs_in_its_own_folder(helper, tmp_path: Path) -> None:
    helper("sys.exit(os.getcwd())")
    with pytest.raises(SignInError) as caught:
        CredentialHelper("s").get(S)
    assert caught.value.why == os.path.realpath(tmp_path)
