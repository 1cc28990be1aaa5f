"""What is said of a sign-in that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.auth.chain import NotConfiguredError
from azext_acrartifact.auth.credentials import reason_of
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.auth.environment import PACKAGE, environment_credential, install_command
from azext_acrartifact.transport.authorization import PULL, Scope
from tests.unit.auth.tokens import refusal

CONNECTION = {f"AZURESUBSCRIPTION_{name}": "x" for name in ("CLIENT_ID", "TENANT_ID", "SERVICE_CONNECTION_ID")}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Please run 'az login' to setup account.", "Please run 'az login' to setup account"),
        ("AADSTS7000215: Invalid secret. Trace ID: 1-2 Correlation ID: 3-4", "AADSTS7000215: Invalid secret"),
        ("one.\ntwo.", "one"),
        ("", "ValueError"),
    ],
)
def test_a_reason_can_be_part_of_a_sentence(said: str, reason: str) -> None:
    assert reason_of(ValueError(said)) == reason


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        ({}, "SYSTEM_ACCESSTOKEN"),
        ({"SYSTEM_OIDCREQUESTURI": "x"}, "SYSTEM_ACCESSTOKEN"),
        ({"SYSTEM_ACCESSTOKEN": "x"}, "SYSTEM_OIDCREQUESTURI"),
    ],
)
def test_what_a_service_connection_lacks_is_named(held: dict[str, str], missing: str) -> None:
    with pytest.raises(NotConfiguredError) as caught:
        environment_credential({**CONNECTION, **held}, [], {}, ask_machine=False)
    assert caught.value.why.startswith(missing)


def test_the_owner_is_told_the_whole_command(serve, http) -> None:
    server = serve(refusal(401, "no"))
    with pytest.raises(errors.SignInError) as caught:
        TokenEndpoint("myregistry-a1b2.azurecr.io", server.url, http).anonymous([Scope.of("a", PULL)])
    assert caught.value.hint.endswith("az acr update --name myregistry --anonymous-pull-enabled true")


def test_the_documented_installation_is_that_of_the_error() -> None:
    shown = (Path(__file__).resolve().parents[3] / "docs" / "pipelines.md").read_text()
    told, _, target = install_command().partition(" --target ")
    options = told.partition(" -m ")[2]
    assert options == "pip install --no-deps --upgrade"
    assert f"python3 -m {options} " in shown
    assert target.endswith(f' "{PACKAGE}"')
    assert f'--output tsv)" "{PACKAGE}"' in shown
