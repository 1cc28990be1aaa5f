"""The registry and artifact that the arguments name."""

from __future__ import annotations

from typing import Any

import pytest

from azext_acrartifact.cli.arguments import ArtifactArgument, RegistryArgument
from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.naming import name_artifact, name_registry, name_repository
from azext_acrartifact.errors import InvalidReferenceError
from tests.unit.cli.az_command import az_command

S = "myregistry.azurecr.io"
CMD = CommandContext(az_command())


@pytest.mark.parametrize("registry", ["myregistry", "MyRegistry", S])
@pytest.mark.parametrize("name", [name_artifact, name_repository])
def test_an_image_does_not_name_its_server_again(registry: str, name: Any) -> None:
    with pytest.raises(InvalidReferenceError, match="named twice") as caught:
        name(CMD, ArtifactArgument(None, registry, f"{S}/a:1", None))
    assert "Write a:1 " in caught.value.hint


@pytest.mark.parametrize("image", ["myregistry/a:1", "other.azurecr.io/a:1", "myregistry.azurecr.io.x/a:1", "a:1"])
def test_a_repository_may_begin_with_other_names(image: str) -> None:
    found = name_artifact(CMD, ArtifactArgument(None, "myregistry", image, None)).reference
    assert str(found) == f"{S}/{image}"


@pytest.mark.parametrize(
    ("registry", "suffix", "guessed_from"),
    [("MyRegistry", None, "MyRegistry"), (S, None, None),
     ("myregistry", "a1b2", None), ("myregistry-a1b2", None, None)],
)  # fmt: skip
def test_only_a_bare_name_is_a_guess(registry: str, suffix: str | None, guessed_from: str | None) -> None:
    named = name_registry(CMD, RegistryArgument(registry, suffix))
    assert named.guessed_from == guessed_from
    assert named.reference.server in (S, "myregistry-a1b2.azurecr.io")
