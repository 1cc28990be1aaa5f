"""Every command that lists something, on registries that respond as ACR may: the results are always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from acr_emulator.app import App
from acr_emulator.world import default_world
from azext_acrartifact import errors
from azext_acrartifact.oci.referrers import referrers_tag
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.backup import BackupOrder, backup
from azext_acrartifact.operations.copy import CopyOrder, Registries, copy
from azext_acrartifact.operations.delete import delete, plan_delete
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.list import ListOrder, list_artifacts, list_repositories
from azext_acrartifact.operations.list_referrers import flattened, list_referrers
from azext_acrartifact.operations.purge import purge
from azext_acrartifact.operations.purge_filters import parse_filter
from azext_acrartifact.operations.purge_plan import PurgeOrder, plan_purge
from azext_acrartifact.operations.push import PushOrder
from azext_acrartifact.operations.show import show
from azext_acrartifact.transfer.progress import Progress
from tests.unit.operations.conftest import push_files, ref

KIND = "application/vnd.example.sbom"
WAYS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "null lists": {"empty_lists": "null"},
    "no OCI-Subject": {"oci_subject": False, "empty_lists": "null"},
    **{
        f"no API: {status}": {"referrers_api": False, "no_referrers_status": status, "empty_lists": "null"}
        for status in (400, 404, 405, 501)
    },
}


@pytest.fixture(params=WAYS)
def has_api(request: pytest.FixtureRequest, app: App) -> Iterator[bool]:
    """Set one of `WAYS`; return whether the registry has the referrers API."""
    registry, usual = app.world.registries[0], default_world().registries[0]
    for name, value in WAYS[request.param].items():
        setattr(registry, name, value)
    yield registry.referrers_api
    for name in WAYS[request.param]:
        setattr(registry, name, getattr(usual, name))


@pytest.fixture
def image(request: pytest.FixtureRequest) -> str:
    """Return the name of a repository for this test only."""
    return "awkward/" + "".join(letter for letter in request.node.name.lower() if letter.isalnum())


def attached(registry: Registry, image: str, file: str) -> str:
    order = PushOrder(ref(f"{image}:1"), [parse_file_spec(file)], artifact_type=KIND)
    return attach(registry, order, Progress()).manifest.digest


def digests(items: Sequence[Any]) -> set[str]:
    return {item.descriptor.digest for item in items}


def test_an_artifact_and_what_is_attached_to_it(
    signed_in: Callable[..., Registry], app: App, has_api: bool, image: str, work: Path
) -> None:
    for name in "ab":
        (work / name).write_text(name)
    subject = push_files(signed_in(), f"{image}:1", "a").manifest.digest
    found = {attached(signed_in(), image, name) for name in "ab"}
    tags = app.store.registry("myregistry").existing(image).tags  # type: ignore[union-attr]
    assert set(tags) == {"1"} | (set() if has_api else {referrers_tag(subject)})  # type: ignore[arg-type]
    tree = list_referrers(signed_in(), ref(f"{image}:1"), recursive=True)
    assert (digests(list(flattened(tree.referrers))), tree.has_api) == (found, has_api)
    shown = show(signed_in(), ref(f"{image}:1"), detailed=True)
    assert (list(shown.tags), {one.digest for one in shown.referrers or ()}) == (["1"], found)
    copied = copy(
        Registries(registry := signed_in(), registry),
        CopyOrder(ref(f"{image}:1"), ref(f"{image}-copy:1"), recursive=True),
        Progress(),
    )
    saved = backup(signed_in(), BackupOrder(ref(image), str(work / "saved"), recursive=True), Progress())
    for items in (copied.items, saved.items):
        assert digests(items.manifests) == {subject, *found}
    assert digests(list_referrers(signed_in(), ref(f"{image}-copy:1")).referrers) == found
    deleting = signed_in()
    delete(deleting, plan_delete(deleting, ref(f"{image}:1"), confirmed=True))
    left = app.store.registry("myregistry").existing(image)
    # Without the API, an older list without a tag is left.
    assert left is None or not (left.tags or left.manifests.keys() & {subject, *found})


def test_lists_without_an_entry(signed_in: Callable[..., Registry], has_api: bool, image: str, work: Path) -> None:
    (work / "a").write_text("a")
    digest = push_files(signed_in(), image, "a").manifest.digest
    listed = list_artifacts(signed_in(), ListOrder(image))
    assert [(item.digest, list(item.tags)) for item in listed] == [(digest, [])]
    assert image in list_repositories(signed_in())
    by_digest = replace(ref(image), digest=digest)
    assert list(list_referrers(signed_in(), by_digest).referrers) == []
    with pytest.raises(errors.NotFoundError, match="has no tags"):
        backup(signed_in(), BackupOrder(ref(image), str(work / "saved")), Progress())
    order = PurgeOrder([parse_filter(f"{image}:.*")], timedelta(0), untagged=True)
    plan = plan_purge(signed_in(), order, datetime.now(timezone.utc) + timedelta(1))
    result = purge(signed_in(), plan, Progress())
    assert ([item.digest for item in result.manifests], result.failed) == ([digest], [])


def test_a_cached_repository(signed_in: Callable[..., Registry], app: App, image: str, work: Path) -> None:
    """Test a source without referrers API: the cache fetches its list as it fetches any tag."""
    (work / "a").write_text("a")
    app.world.registries[0].referrers_api = False
    try:
        push_files(signed_in(), f"{image}:1", "a")
        found = attached(signed_in(), image, "a")
        app.world.registries[0].referrers_api, app.world.registries[0].cached_repositories = True, [image]
        tree = list_referrers(signed_in(), ref(f"{image}:1"))
        assert (digests(tree.referrers), tree.has_api) == ({found}, False)
    finally:
        app.world.registries[0].referrers_api, app.world.registries[0].cached_repositories = True, []
