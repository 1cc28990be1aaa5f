"""delete: the plan and the number of its requests, locks, broken indexes and referrers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.cli.output.confirm import describe
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.operations.delete import delete, plan_delete, require_unprotected
from tests.support.stock import Stock
from tests.unit.operations.conftest import SERVER


@pytest.fixture
def stock(app: App, request: pytest.FixtureRequest) -> Stock:
    """Return a repository named after the test."""
    return Stock(app.store, f"delete/{re.sub('[^a-z0-9]+', '-', request.node.name.lower())}"[:100].strip("-"))


def at(stock: Stock, digest: str) -> Any:
    """Return the reference of *digest* in the repository."""
    return Reference(SERVER, stock.repository, digest=digest)  # type: ignore[arg-type]


def reads(app: App) -> int:
    """Return the number of manifests read."""
    return sum(e["method"] == "GET" and bool(re.search("/v2/.*/manifests/", e["path"])) for e in app.log.entries())


def test_a_lock_on_a_referrer_is_named(stock: Stock, signed_in: Any) -> None:
    subject = stock.artifact("v1")
    sbom = stock.artifact(subject=subject)
    signature = stock.artifact(subject=sbom, deleteEnabled=False)
    others = [stock.artifact(subject=subject) for _ in range(3)]
    registry = signed_in()
    with pytest.raises(errors.LockedError) as caught:
        delete(registry, plan_delete(registry, at(stock, subject), confirmed=True))
    assert f"{signature} has deleteEnabled=false" in caught.value.why
    assert "--delete-enabled true" in caught.value.hint
    assert not any(other in caught.value.why for other in (sbom, *others))
    assert subject in stock.manifests


@pytest.mark.parametrize("attribute", ["writeEnabled", "deleteEnabled"])
def test_a_locked_tag_protects_its_artifact(stock: Stock, signed_in: Any, attribute: str) -> None:
    digest = stock.artifact("v1", "v2", "v3")
    registry = signed_in()
    registry.metadata.change(stock.repository, "v2", {attribute: False})
    deletion = plan_delete(registry, at(stock, digest), confirmed=True)
    with pytest.raises(errors.LockedError) as caught:
        require_unprotected(deletion)
    assert caught.value.why == f"{SERVER}/{stock.repository}:v2 has {attribute}=false"
    assert f"az acr artifact update {SERVER}/{stock.repository}:v2" in caught.value.hint
    assert "--force" in caught.value.hint
    assert [tag.name for tag in plan_delete(registry, at(stock, digest), forced=True).locked] == ["v2"]


def test_a_locked_tag_protects_no_other_artifact(stock: Stock, signed_in: Any) -> None:
    digest, other = stock.artifact("v1"), stock.artifact("v2")
    registry = signed_in()
    registry.metadata.change(stock.repository, "v2", {"writeEnabled": False})
    require_unprotected(plan_delete(registry, at(stock, digest)))
    assert other in stock.manifests


def test_only_tagged_indexes_and_those_below_are_read(stock: Stock, signed_in: Any, app: App) -> None:
    child = stock.artifact()
    inner = stock.index(children=[child])
    outer = stock.index("all", "more", children=[inner])
    for _ in range(5):
        stock.index(children=[child])
    app.log.clear()
    deletion = plan_delete(signed_in(), at(stock, child))
    assert [(item.digest, list(item.tags)) for item in deletion.indexes] == [(outer, ["all", "more"])]
    assert reads(app) == 2
    assert plan_delete(signed_in(), at(stock, outer)).indexes == []


def test_an_unreadable_index_does_not_block_other_artifacts(stock: Stock, signed_in: Any, app: App) -> None:
    child = stock.artifact("v1")
    index = stock.index("all", children=[stock.artifact()])
    app.faults.add({"path": f"/manifests/{index}", "action": "status", "status": 404})
    assert plan_delete(signed_in(), at(stock, child)).indexes == []


def test_an_unlisted_artifact_is_deleted_with_its_tags(stock: Stock, signed_in: Any) -> None:
    hidden = stock.artifact("v1", "v2", listEnabled=False)
    for tag in ("v1", "v2"):
        stock.tag(tag, hidden)
    assert plan_delete(signed_in(), at(stock, hidden)).tags == ["v1", "v2"]


@pytest.fixture
def no_api(app: App) -> Iterator[None]:
    """Make the registry one without the referrers API, whose lists of referrers are indexes under tags."""
    app.world.registries[0].referrers_api = False
    yield
    app.world.registries[0].referrers_api = True


@pytest.mark.parametrize("forced", [True, False])
def test_with_the_tag_schema_referrers_are_found_even_if_forced(
    stock: Stock, signed_in: Any, no_api: None, forced: bool
) -> None:
    subject = stock.artifact("v1")
    sbom = stock.artifact(subject=subject)
    listed = stock.index(subject.replace(":", "-"), children=[sbom])
    registry = signed_in()
    deletion = plan_delete(registry, at(stock, subject), confirmed=forced, forced=forced)
    assert deletion.uses_tag_schema
    assert [item.descriptor.digest for item in deletion.referrers] == [sbom]
    assert deletion.lists == {subject: listed}
    assert subject.replace(":", "-") in describe(deletion).splitlines()[-1]
    delete(registry, deletion)
    assert stock.manifests == set()


@pytest.mark.parametrize("more", [[], ["release"]])
@pytest.mark.parametrize("kind", ["artifact", "index", "empty", "children", "partly", "missing", "subject"])
def test_a_tag_of_a_list_deletes_nothing_else(
    stock: Stock, signed_in: Any, no_api: None, kind: str, more: list[str]
) -> None:
    doomed, release = stock.artifact("v1"), stock.artifact("v2")
    sbom, tag = stock.artifact(subject=doomed), doomed.replace(":", "-")
    lost = stock.artifact(subject=doomed)
    children = {"index": [release], "children": [sbom], "partly": [sbom, release], "missing": [sbom, lost]}
    if kind == "artifact":
        tagged = stock.artifact(tag, *more)
    else:
        tagged = stock.index(tag, *more, children=children.get(kind, []), subject=release if kind == "subject" else "")
    stock.state.remove_manifest(stock.repository, lost)
    registry = signed_in()
    delete(registry, plan_delete(registry, at(stock, doomed), confirmed=True, forced=True))
    is_list = kind in ("empty", "children") and not more
    gone = {doomed} | ({sbom} if sbom in children.get(kind, []) else set()) | ({tagged} if is_list else set())
    assert stock.manifests == {doomed, release, sbom, tagged} - gone


def test_a_list_of_the_subject_is_only_rewritten_if_it_is_one(stock: Stock, signed_in: Any, no_api: None) -> None:
    subject, release = stock.artifact("v1"), stock.artifact("v2")
    sboms = [stock.artifact(subject=subject) for _ in range(3)]
    tag, registry = subject.replace(":", "-"), signed_in()

    def left(*children: str) -> set[str]:
        stock.index(tag, children=children)
        delete(registry, plan_delete(registry, at(stock, children[0]), confirmed=True, forced=True))
        return {child.digest for child in registry.manifests.get(stock.repository, tag).manifests}

    assert left(*sboms[:2]) == {sboms[1]}
    assert left(sboms[1], release, sboms[2]) == {sboms[1], release, sboms[2]}


@pytest.mark.parametrize("options", [{}, {"confirmed": True}, {"confirmed": True, "forced": True}])
def test_signatures_by_tag_go_with_what_they_belong_to(stock: Stock, signed_in: Any, options: dict[str, bool]) -> None:
    subject, other = stock.artifact("v1"), stock.artifact("v2")
    owned = subject.replace(":", "-")
    stock.artifact(f"{owned}.sig")
    others = [stock.artifact(f"{owned}.att", "release"), stock.artifact(f"{other.replace(':', '-')}.sig"), other]
    stock.tag(f"{owned}.sbom", locked := stock.artifact(), writeEnabled=False)
    registry = signed_in()
    deletion = plan_delete(registry, at(stock, subject), **options)
    assert [*deletion.signatures] == [f"{owned}.sig"]
    assert f"'{stock.repository}:{owned}.sig'" in describe(deletion)
    delete(registry, deletion)
    assert stock.manifests == {*others, locked}
