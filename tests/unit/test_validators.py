"""Arguments that exclude or need each other."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.cli.core.azclierror import (
    InvalidArgumentValueError,
    MutuallyExclusiveArgumentError,
    RequiredArgumentMissingError,
)

from azext_acrartifact._validators import (
    gather_artifact,
    gather_registry,
    gather_signed,
    gather_whole,
    validate_sizes,
)
from tests.unit.cli.az_command import az_command

S = "myregistry.azurecr.io"


def gathered(default: str = "", gather: Callable[..., None] = gather_artifact, **given: object) -> Namespace:
    """Return the namespace after the check of these arguments; missing ones are None. *default* is the registry that
    `az configure` has set."""
    names = ("artifact", "registry_name", "image", "suffix", "username", "password", "auth_mode")
    namespace = Namespace(**{**dict.fromkeys(names), "password_stdin": False, **given})
    gather(az_command({("defaults", "acr"): default} if default else {}), namespace)
    return namespace


@pytest.mark.parametrize(
    ("reference", "registry", "image", "default"),
    [
        (f"{S}/a:1", None, None, ""),
        (None, "myregistry", "a:1", ""),
        (None, S, "a:1", ""),
        ("a:1", "myregistry", None, ""),
        (f"{S}/a:1", "myregistry", None, ""),
        (f"{S}/a:1", S, None, ""),
        (f"{S}/a:1", "MyRegistry", None, ""),
        (f"{S}/a:1", "other", None, "other"),
        (f"{S}/a:1", "Other", None, "oTHER"),
        (None, "myregistry", f"{S}/a:1", ""),
        (None, S, f"https://{S}/a:1", ""),
        (None, f"https://{S}/", "a:1", ""),
        (None, None, f"{S}/a:1", ""),
        (None, "other", f"{S}/a:1", "other"),
        (None, "myregistry", "myregistry-d7fq.azurecr.io/a:1", ""),
        ("myregistry-d7fq.azurecr.io/a:1", "myregistry", None, ""),
        (f"'{S}/a:1'", None, None, ""),
    ],
)
def test_an_artifact_that_is_named_once_is_taken(reference, registry, image, default: str) -> None:
    gathered(default, artifact=reference, registry_name=registry, image=image)


@pytest.mark.parametrize(
    ("reference", "registry", "image", "kind"),
    [
        (f"{S}/a:1", None, "a:1", MutuallyExclusiveArgumentError),
        ("a:1", "myregistry", "a:1", MutuallyExclusiveArgumentError),
        (f"{S}/a:1", "other", None, MutuallyExclusiveArgumentError),
        (None, "other", f"{S}/a:1", MutuallyExclusiveArgumentError),
        (None, None, None, RequiredArgumentMissingError),
        (None, "myregistry", None, RequiredArgumentMissingError),
        (None, None, "a:1", RequiredArgumentMissingError),
    ],
)
def test_an_artifact_that_is_named_twice_or_not_is_refused(reference, registry, image, kind: type) -> None:
    with pytest.raises(kind) as caught:
        gathered(artifact=reference, registry_name=registry, image=image)
    assert caught.value.recommendations


@pytest.mark.parametrize("image", ["docker.io/a:1", "my.app/a:1", "a:1"])
def test_a_repository_may_look_like_a_server(image: str) -> None:
    found = gathered(registry_name="myregistry", image=image).artifact
    assert (found.reference, found.image) == (None, image)


@pytest.mark.parametrize(
    ("username", "password", "stdin", "kind"),
    [
        (None, None, False, None),
        ("me", None, False, None),
        ("me", "x", False, None),
        ("me", None, True, None),
        ("me", "", False, None),
        ("me", "x", True, MutuallyExclusiveArgumentError),
        (None, "x", False, RequiredArgumentMissingError),
        (None, "", False, RequiredArgumentMissingError),
        (None, None, True, RequiredArgumentMissingError),
    ],
)
def test_a_user_and_a_password_belong_together(username, password, stdin: bool, kind: type | None) -> None:
    given = {"artifact": f"{S}/a:1", "username": username, "password": password, "password_stdin": stdin}
    if kind is None:
        gathered(**given)
    else:
        with pytest.raises(kind):
            gathered(**given)


def test_a_user_and_a_mode_exclude_each_other() -> None:
    assert gathered(artifact=f"{S}/a:1", auth_mode="docker").login.auth_mode == "docker"
    with pytest.raises(MutuallyExclusiveArgumentError):
        gathered(artifact=f"{S}/a:1", username="me", password="secret", auth_mode="login")


def test_a_configured_registry_stands_in_for_a_missing_one() -> None:
    found = gathered("myregistry", image="a:1", username="me", password="secret")
    assert (found.artifact.registry, found.artifact.image) == ("myregistry", "a:1")
    assert "secret" not in repr(found.login)
    assert not hasattr(found, "password")


@pytest.mark.parametrize("name", ["concurrency", "max_unpacked_size"])
def test_sizes_are_positive(name: str) -> None:
    validate_sizes(Namespace())
    validate_sizes(Namespace(**{name: None}))
    validate_sizes(Namespace(**{name: 1}))
    for value in (0, -1):
        with pytest.raises(InvalidArgumentValueError, match="at least 1"):
            validate_sizes(Namespace(**{name: value}))


def copied(to: str, **given: object) -> Namespace:
    """Return the namespace of a copy to *to*."""
    names = ("to_name", "to_username", "to_password", "to_auth_mode")
    given = {**dict.fromkeys(names), "to_password_stdin": False, "artifact": f"{S}/a:1", "to": to, **given}
    return gathered(**given)


def test_the_target_of_a_copy_is_named_in_either_form() -> None:
    found = copied(f"{S}/b:1").target
    assert (found.reference, found.registry, found.login) == (f"{S}/b:1", None, None)
    found = copied("b:1", to_name="other", to_username="me", to_password="secret").target
    assert (found.reference, found.registry, found.login.username) == ("b:1", "other", "me")
    assert "secret" not in repr(found)
    assert copied(f"oci://{S}/b:1", to_name="myregistry").target.registry is None
    assert copied(f"{S}/b:1", to_auth_mode="docker").target.login.auth_mode == "docker"


@pytest.mark.parametrize(
    ("to", "given", "kind"),
    [
        ("b:1", {}, RequiredArgumentMissingError),
        ("other/b:1", {}, RequiredArgumentMissingError),
        (f"{S}/b:1", {"to_name": "other"}, MutuallyExclusiveArgumentError),
        (f"{S}/b:1", {"to_password": "x"}, RequiredArgumentMissingError),
        (f"{S}/b:1", {"to_username": "me", "to_auth_mode": "docker"}, MutuallyExclusiveArgumentError),
        (
            f"{S}/b:1",
            {"username": "me", "password_stdin": True, "to_username": "me", "to_password_stdin": True},
            MutuallyExclusiveArgumentError,
        ),
    ],
)
def test_a_target_that_is_not_clear_is_refused(to: str, given: dict[str, object], kind: type) -> None:
    with pytest.raises(kind) as caught:
        copied(to, **given)
    assert caught.value.recommendations


def whole(**given: object) -> Namespace:
    """Return the same for a command that takes a repository as well."""
    return gathered("myregistry", gather_whole, **{"repository": None, **given})


def test_a_whole_repository_may_be_named_in_three_ways() -> None:
    assert whole(repository="a").artifact.image == "a"
    assert whole(image="a").artifact == whole(repository="a").artifact
    assert whole(artifact=f"{S}/a").artifact.reference == f"{S}/a"
    assert whole(repository="a", artifact="https://myregistry/").artifact.registry == "myregistry"
    for other in ({"image": "b"}, {"artifact": f"{S}/a"}, {"artifact": "other", "registry_name": "myregistry"}):
        with pytest.raises(MutuallyExclusiveArgumentError):
            whole(repository="a", **other)
    with pytest.raises(RequiredArgumentMissingError):
        whole()


def registry(default: str = "", **given: object) -> Namespace:
    """Return the namespace of a command about a registry, which takes `repositories` if they are given."""
    return gathered(default, gather_registry, **given)


def test_a_registry_may_be_named_in_three_ways() -> None:
    for given in ({"artifact": S}, {"registry_name": S}, {"default": S}, {"artifact": f"{S}/", "registry_name": S}):
        assert registry(**given).artifact.name == S
    assert registry(artifact="myregistry", username="me", password="x").login.username == "me"
    assert registry("other", artifact=S).artifact.name == S
    assert registry(artifact=S, registry_name="myregistry").artifact.name == S
    assert registry(artifact="myregistry", registry_name=S).artifact.name == "myregistry"


def test_a_repository_may_be_part_of_the_name() -> None:
    for found in (
        registry(artifact=f"{S}/a/b", repositories=None),
        registry(artifact="a/b", repositories=None, registry_name=S),
        registry(S, artifact="a/b", repositories=None),
        registry(artifact=S, repositories=["a/b"]),
        registry(registry_name=S, repositories=["a/b"]),
    ):
        assert (found.artifact.name, found.repositories) == (S, ["a/b"])


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, RequiredArgumentMissingError),
        ({"artifact": f"{S}/a"}, InvalidArgumentValueError),
        ({"artifact": "a/b", "registry_name": S}, InvalidArgumentValueError),
        ({"artifact": S, "registry_name": "other"}, MutuallyExclusiveArgumentError),
        ({"artifact": "myregistry", "registry_name": "other"}, MutuallyExclusiveArgumentError),
        ({"artifact": f"{S}/a", "repositories": ["b"]}, MutuallyExclusiveArgumentError),
        ({"artifact": S, "repositories": None}, RequiredArgumentMissingError),
        ({"artifact": "a/b", "repositories": None}, RequiredArgumentMissingError),
    ],
)
def test_a_registry_that_is_not_clear_is_refused(given: dict[str, object], kind: type) -> None:
    with pytest.raises(kind) as caught:
        registry(**given)  # type: ignore[arg-type]
    assert caught.value.recommendations


def signing(**given: object) -> Namespace:
    """Return the namespace of `sign` after its check."""
    key = {"key": None, "key_file": None, "certificate_file": None}
    return gathered(gather=gather_signed, **{**key, **given})


def test_several_artifacts_to_sign_become_one_list() -> None:
    found = signing(artifact=[f"{S}/a:1", f"{S}/b:2"], key="K")
    assert [one.reference for one in found.artifact] == [f"{S}/a:1", f"{S}/b:2"]
    assert (found.signing.key, found.signing.key_file) == ("K", None)
    found = signing(registry_name="myregistry", image=["a:1", "b:2"], key_file="k", certificate_file="c")
    assert [(one.registry, one.image) for one in found.artifact] == [("myregistry", "a:1"), ("myregistry", "b:2")]
    assert set(vars(found)) == {"artifact", "login", "signing"}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"key": "K"}, RequiredArgumentMissingError),
        ({"artifact": [f"{S}/a:1"]}, RequiredArgumentMissingError),
        ({"artifact": [f"{S}/a:1"], "key_file": "k"}, RequiredArgumentMissingError),
        ({"artifact": [f"{S}/a:1"], "key": "K", "key_file": "k"}, MutuallyExclusiveArgumentError),
        ({"artifact": [f"{S}/a:1"], "image": ["b:1"], "key": "K"}, MutuallyExclusiveArgumentError),
    ],
)
def test_a_key_is_given_once_and_with_its_certificate(given: dict[str, object], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        signing(**given)


@pytest.mark.parametrize(
    ("given", "verify"),
    [
        ({"verify": False}, False),
        ({"verify": True}, True),
        ({"verify": False, "certificate_file": "c"}, True),
        ({}, True),
    ],
)
def test_to_name_what_is_trusted_means_to_verify(given: dict[str, object], verify: bool) -> None:
    options = {"artifact": f"{S}/a:1", "certificate_file": None, "trusted_identity": None}
    found = gathered(**{**options, **given})
    assert found.trust.verify == verify
    assert "verify" not in vars(found)


def test_an_identity_needs_a_certificate() -> None:
    with pytest.raises(RequiredArgumentMissingError):
        gathered(artifact=f"{S}/a:1", certificate_file=None, trusted_identity=["x"])


def test_a_target_without_a_registry_may_be_in_that_of_the_source() -> None:
    with pytest.raises(RequiredArgumentMissingError, match="No target registry given") as caught:
        copied("b:1")
    assert f"--to {S}/b:1" in caught.value.recommendations[0]


def test_a_file_alone_is_no_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    for typed in ("a.txt", "./a.txt", str(tmp_path)):
        with pytest.raises(RequiredArgumentMissingError, match="is a file or folder") as caught:
            gathered(artifact=typed)
        assert "SERVER/REPOSITORY:TAG before it" in caught.value.recommendations[0]
    gathered("myregistry", artifact="a.txt")
