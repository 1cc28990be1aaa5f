"""The registry and artifact that the arguments name."""

from __future__ import annotations

import pytest

from azext_acrartifact.cli.arguments import ArtifactArgument, RegistryArgument
from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.cli.naming import check_tags, explaining_registry, name_artifact, name_registry, name_repository
from azext_acrartifact.errors import InvalidReferenceError, NotFoundError, UnresolvedHostError
from tests.unit.cli.az_command import az_command

S = "myregistry.azurecr.io"
CMD = CommandContext(az_command())


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


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("2,3", "--tags 2 3"), ("2;3", "--tags 2 3"), ("2 3", "--tags 2 3"), ("é", "such as 1.0."),
     (f"{S}/a:stable", "--tags stable"), ("a/b:stable", "--tags stable"),
     (":stable", "--tags stable"), (f"https://{S}/a:1", "--tags 1")],
)  # fmt: skip
def test_what_is_no_tag_names_the_tags_to_type(typed: str, hint: str) -> None:
    with pytest.raises(InvalidReferenceError, match="Not a tag") as caught:
        check_tags(["1.0", typed])
    assert caught.value.hint.endswith(hint)


def test_tags_are_taken_once_and_without_quotes() -> None:
    assert check_tags(["1.0", "'1.0'", "b"]) == ["1.0", "b"]
    assert check_tags(None) == []
    for wrong in ("2,", "a b", f"{S}/a", "-1", ",", "a:b:-"):
        with pytest.raises(InvalidReferenceError):
            check_tags([wrong])


def test_a_word_taken_as_a_registry_is_explained() -> None:
    def fails(error: Exception, typed: str | None) -> str:
        with pytest.raises(type(error)) as caught, explaining_registry(typed):
            raise error
        return str(getattr(caught.value, "hint", ""))

    assert "--repository dockerfile" in fails(UnresolvedHostError("no host"), "dockerfile")
    assert "--repository" not in fails(NotFoundError("nothing"), "dockerfile")
    for typed in (S, "a/b", None):
        assert "--repository" not in fails(UnresolvedHostError("no host"), typed)
    with pytest.raises(InvalidReferenceError) as caught:
        name_repository(CMD, ArtifactArgument("app", None, None, None))
    assert "--repository app" in caught.value.hint
