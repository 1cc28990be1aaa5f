"""Questions to the user."""

from __future__ import annotations

import pytest

from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.output.confirm import ask_password, confirm, describe
from azext_acrartifact.errors import CancelledError, InvalidInputError
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.operations.delete import Deletion
from azext_acrartifact.operations.list_referrers import Referrer
from tests.unit.cli.az_command import az_command

ESCAPES = "\x1b[31m\n##vso[task.complete]\u202e"
DIGEST = digest_of(b"m")
HERE = Reference("myregistry.azurecr.io", "samples/artifact", "1.0")
CMD = CommandContext(az_command())


def deletion(tags: list[str], referrers: int) -> Deletion:
    found = [
        Referrer(Descriptor("a/b", digest_of(bytes([n])), 1, artifact_type=f"t/{n}{ESCAPES}"), DIGEST)
        for n in range(referrers)
    ]
    return Deletion(HERE, DIGEST, tags, found, [])


def test_everything_to_be_deleted_is_listed() -> None:
    text = describe(deletion(["1.0", ESCAPES], 2))
    assert f"manifest '{DIGEST}'" in text
    assert "'samples/artifact:1.0'" in text
    assert "These 2 attached artifacts will be deleted with it:" in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert len(text.splitlines()) == 4
    assert describe(deletion([], 0)).endswith("images: none.")


def test_many_referrers_are_counted() -> None:
    lines = describe(deletion(["1"], 25)).splitlines()
    assert len(lines) == 2 + 20 + 1
    assert lines[-1] == "  and 5 more"


def test_without_a_terminal_nothing_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CancelledError, match="no terminal") as caught:
        confirm(CMD, "", yes=False)
    assert caught.value.hint == "Give --yes."
    with pytest.raises(InvalidInputError) as asked:
        ask_password("me")
    assert "--password-stdin" in asked.value.hint


def test_yes_is_not_asked_again() -> None:
    confirm(CMD, "", yes=True)
    confirm(CommandContext(az_command({("core", "disable_confirm_prompt"): True})), "", yes=False)


def test_the_user_decides() -> None:
    asked: list[str] = []
    confirm(CMD, describe(deletion(["1"], 0)), yes=False, ask=lambda text: asked.append(text) is None)
    assert asked == [f"{describe(deletion(['1'], 0))}\nAre you sure you want to continue?"]
    confirm(CMD, "a\n  ::error::b\x1b\n##vso[c]", yes=False, ask=lambda text: asked.append(text) is None)
    assert asked[1].splitlines()[:3] == ["a", "  : :error::b\\x1b", "# #vso[c]"]
    with pytest.raises(CancelledError, match="did not confirm"):
        confirm(CMD, "", yes=False, ask=lambda _: False)
