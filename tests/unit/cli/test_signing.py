"""When signatures are verified, and what is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from azext_acrartifact.cli.arguments import TrustArgument
from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.signing import SignAfter, Verification
from azext_acrartifact.errors import ArtifactError, InvalidInputError, LocalFileError, SignatureError
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.signing.notation_files import NotationFolder
from tests.unit.cli.az_command import az_command

REFERENCE = parse_reference("myregistry.azurecr.io/samples/artifact:1.0")
SESSION: Any = SimpleNamespace(registry=None, reference=REFERENCE)
NO, YES = TrustArgument(False, None, None), TrustArgument(True, None, None)
FILE = TrustArgument(True, "gone.pem", None)


def command(verify: str = "") -> CommandContext:
    """Return the context of a command with the setting `acrartifact.verify`."""
    return CommandContext(az_command({("acrartifact", "verify"): verify} if verify else {}))


@pytest.fixture
def skipping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a trust policy of Notation that verifies nothing."""
    policy = {"name": "p", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}}
    document = {"version": "1.0", "trustPolicies": [policy]}
    for variable in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    folder = NotationFolder.of_user().path
    folder.mkdir(parents=True)
    (folder / "trustpolicy.json").write_text(json.dumps(document))


def test_nothing_is_verified_unless_it_is_wanted() -> None:
    assert Verification(command(), NO).of(SESSION) is REFERENCE
    assert Verification(command(), None).of(SESSION) is REFERENCE


@pytest.mark.usefixtures("skipping")
def test_a_policy_may_exempt_a_repository_from_the_setting_but_not_from_the_option() -> None:
    assert Verification(command("always"), NO).of(SESSION) is REFERENCE
    with pytest.raises(SignatureError, match="level skip"):
        Verification(command("always"), YES).of(SESSION)


@pytest.mark.parametrize(
    ("setting", "trust", "referrer", "kind"),
    [
        ("sometimes", NO, None, InvalidInputError),
        ("always", NO, "application/vnd.example.sbom.v1", InvalidInputError),
        ("", YES, "application/vnd.example.sbom.v1", InvalidInputError),
        ("", FILE, None, LocalFileError),
    ],
)
def test_what_cannot_be_verified_is_refused_at_once(
    setting: str, trust: TrustArgument, referrer: str | None, kind: type[ArtifactError]
) -> None:
    with pytest.raises(kind) as error:
        Verification(command(setting), trust, referrer=referrer)
    assert error.value.hint


def test_an_index_is_not_signed_by_a_push() -> None:
    order: Any = SimpleNamespace(platform="linux/arm64", reference=REFERENCE, dry_run=False)
    with pytest.raises(InvalidInputError, match="index"):
        SignAfter(command(), "https://myvault.vault.azure.net/keys/release", order)
