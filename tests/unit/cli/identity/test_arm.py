"""The check of login servers that Azure Resource Manager names."""

from __future__ import annotations

import pytest

from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.identity.arm import checked_server
from azext_acrartifact.errors import ProtocolError
from tests.unit.cli.az_command import az_command

CMD = CommandContext(az_command())


@pytest.mark.parametrize(
    "server", ["myregistry.azurecr.io", "myregistry-a1b2.azurecr.io", "myregistry-a.eastus.azurecr.io"]
)
def test_a_server_of_the_name_is_used(server: str) -> None:
    assert checked_server(CMD, "MyRegistry", server) == server


@pytest.mark.parametrize(
    "server",
    ["", ".azurecr.io", "azurecr.io", "evil.example", "evil.example/x.azurecr.io", "evil.example?.azurecr.io",
     "evil.example#.azurecr.io", "evil.example\\.azurecr.io", "me@myregistry.azurecr.io", "myregistry.azurecr.io:8443",
     "myregistry.azurecr.io.evil.example", "myregistry.azurecr.io.", "myregistry..azurecr.io", "myregistryazurecr.io",
     "https://myregistry.azurecr.io", "myregistry.azurecr.io/", "myregistry .azurecr.io", "myregistry\n.azurecr.io",
     "evil.azurecr.io", "myregistryx.azurecr.io", "x.myregistry.azurecr.io", "127.0.0.1:5000", "[::1]",
     "MYREGISTRY.azurecr.io",
     "myregistr\u0443.azurecr.io", "-.azurecr.io", "myregistry-.azurecr.io"],
)  # fmt: skip
def test_any_other_server_is_refused(server: str) -> None:
    with pytest.raises(ProtocolError, match="unexpected login server") as caught:
        checked_server(CMD, "myregistry", server)
    assert "--name SERVER.azurecr.io" in caught.value.hint
