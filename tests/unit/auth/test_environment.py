"""Identities from environment variables: what the errors say if they are not usable."""

from __future__ import annotations

import pytest

from azext_acrartifact.auth.chain import NotConfiguredError
from azext_acrartifact.auth.environment import PACKAGE, environment_credential, install_command
from tests.house.source import ROOT

CONNECTION = {f"AZURESUBSCRIPTION_{name}": "x" for name in ("CLIENT_ID", "TENANT_ID", "SERVICE_CONNECTION_ID")}


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({}, "SYSTEM_ACCESSTOKEN"),
        ({"SYSTEM_OIDCREQUESTURI": "x"}, "SYSTEM_ACCESSTOKEN"),
        ({"SYSTEM_ACCESSTOKEN": "x"}, "SYSTEM_OIDCREQUESTURI"),
    ],
)
def test_a_missing_variable_of_a_service_connection_is_named(variables: dict[str, str], missing: str) -> None:
    with pytest.raises(NotConfiguredError) as caught:
        environment_credential({**CONNECTION, **variables}, [], {}, ask_machine=False)
    assert caught.value.why.startswith(missing)


def test_the_documented_command_is_that_of_the_error() -> None:
    shown = (ROOT / "docs" / "pipelines.md").read_text()
    command, _, target = install_command().partition(" --target ")
    options = command.partition(" -m ")[2]
    assert options == "pip install --no-deps --upgrade"
    assert f"python3 -m {options} " in shown
    assert target.endswith(f' "{PACKAGE}"')
    assert f'--output tsv)" "{PACKAGE}"' in shown
