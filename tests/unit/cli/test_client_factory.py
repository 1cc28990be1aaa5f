"""Which registry and artifact the arguments mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from azext_acrartifact._client_factory import name_artifact, name_place
from azext_acrartifact.cli.arguments import ArtifactArgument
from azext_acrartifact.errors import InvalidReferenceError

S = "myregistry.azurecr.io"


def command() -> Any:
    """What Azure CLI hands to a command in the public cloud."""
    suffixes = SimpleNamespace(acr_login_server_endpoint=".azurecr.io")
    return SimpleNamespace(cli_ctx=SimpleNamespace(cloud=SimpleNamespace(suffixes=suffixes, name="AzureCloud")))


@pytest.mark.parametrize("registry", ["myregistry", "MyRegistry", S])
@pytest.mark.parametrize("name", [name_artifact, name_place])
def test_an_image_does_not_name_its_server_again(registry: str, name: Any) -> None:
    with pytest.raises(InvalidReferenceError, match="named twice") as caught:
        name(command(), ArtifactArgument(None, registry, f"{S}/a:1", None))
    assert "Write a:1 " in caught.value.hint


@pytest.mark.parametrize("image", ["myregistry/a:1", "other.azurecr.io/a:1", "myregistry.azurecr.io.x/a:1", "a:1"])
def test_a_repository_may_begin_with_other_names(image: str) -> None:
    found = name_artifact(command(), ArtifactArgument(None, "myregistry", image, None)).reference
    assert str(found) == f"{S}/{image}"
