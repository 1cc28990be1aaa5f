"""purge: the deleted and the retained artifacts, the reasons, and the number of requests."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import purge_output
from azext_acrartifact.operations.purge import PurgeResult, preview, purge
from azext_acrartifact.operations.purge_filters import parse_age, parse_filter
from azext_acrartifact.operations.purge_plan import PurgeOrder, plan_purge
from azext_acrartifact.transfer.progress import Progress
from tests.support.stock import Stock
from tests.unit.operations.conftest import SERVER

Purged = Callable[..., PurgeResult]


@pytest.fixture
def stock(app: App, request: pytest.FixtureRequest) -> Stock:
    """Return a repository named after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return Stock(app.store, f"purge/{name}"[:100].strip("-"))


@pytest.fixture
def purged(signed_in: Any, stock: Stock, app: App) -> Purged:
    """Return a function that purges the test's repository, after a dry run which must give the same result. The log
    begins with the purge."""

    def run(*filters: str, ago: str = "30d", who: str = "pusher", meanwhile: Any = None, **options: Any) -> PurgeResult:
        chosen = [parse_filter(text if ":" in text else f"{stock.repository}:{text}") for text in filters or [".*"]]
        order = PurgeOrder(chosen, parse_age(ago), **options)
        now = datetime.now(timezone.utc)
        expected = preview(plan_purge(signed_in(who), order, now))
        app.log.clear()
        registry = signed_in(who)
        plan = plan_purge(registry, order, now)
        if meanwhile:
            meanwhile()
        result = purge(registry, plan, Progress())
        if not meanwhile and not result.failed:
            assert (sorted(map(str, expected.tags)), sorted(map(str, expected.manifests))) == (
                sorted(map(str, result.tags)),
                sorted(map(str, result.manifests)),
            )
            assert expected.retained == result.retained
        return result

    return run


def reasons(result: PurgeResult) -> dict[str, str]:
    """Return the reasons to retain, by tag or digest."""
    return {str(item.reference.version): item.why for item in result.retained}


def count(app: App, path: str, method: str = "GET") -> int:
    """Return the number of such requests."""
    return sum(
        entry["method"] == method and entry["host"] == SERVER and bool(re.search(path, entry["path"]))
        for entry in app.log.entries()
    )


def test_old_matching_tags_are_removed_but_not_their_manifests(stock: Stock, purged: Purged, app: App) -> None:
    stock.artifact("dev-1", "v1")
    stock.artifact("dev-2", age=1)
    stock.artifact("a-dev-3")
    result = purged("dev-.*")
    assert [one.tag for one in result.tags] == ["dev-1"]
    assert (stock.tags, len(stock.manifests)) == ({"v1", "dev-2", "a-dev-3"}, 3)
    # The list of tags, the locks of the repository, the list again, and the tag.
    assert [(e["method"], e["path"].rpartition("/")[2]) for e in app.log.entries() if "/oauth2/" not in e["path"]] == [
        ("GET", "_tags"), ("GET", stock.repository.rpartition("/")[2]), ("GET", "_tags"), ("DELETE", "dev-1"),
    ]  # fmt: skip
    assert count(app, "/oauth2/token", "POST") == 1


def test_the_newest_are_retained(stock: Stock, purged: Purged) -> None:
    for age in range(40, 45):
        stock.artifact(f"t{age}", age=age)
    stock.artifact("locked", age=35)
    stock.tag("locked", stock.artifact(), age=35, writeEnabled=False)
    result = purged(keep=2)
    assert stock.tags == {"t40", "t41", "locked"}
    assert reasons(result) == {
        "t40": "it is one of the newest 2",
        "t41": "it is one of the newest 2",
        "locked": "it is locked: writeEnabled=false",
    }


def test_untagged_deletes_manifests_that_lost_their_last_tag(stock: Stock, purged: Purged, app: App) -> None:
    both, one, old = stock.artifact("a", "keep"), stock.artifact("b"), stock.artifact()
    young = stock.artifact(age=1)
    result = purged("[ab]", untagged=True)
    assert {one.tag for one in result.tags} == {"a", "b"}
    assert {one.digest for one in result.manifests} == {one, old}
    assert stock.manifests == {both, young}
    assert count(app, "/_manifests$") == 2  # for the plan, and again before the first deletion


def test_untagged_alone_removes_no_tags(stock: Stock, purged: Purged) -> None:
    tagged, _ = stock.artifact("a"), stock.artifact()
    result = purged(untagged=True, tags=False)
    assert (result.tags, len(result.manifests)) == ([], 1)
    assert (stock.manifests, stock.tags) == ({tagged}, {"a"})


def test_children_are_retained_with_their_index(stock: Stock, purged: Purged) -> None:
    inner_child, child, loose = stock.artifact(), stock.artifact(), stock.artifact()
    inner = stock.index(children=[inner_child])
    outer = stock.index("v1", children=[child, inner])
    young = stock.artifact()
    stock.index(children=[young], age=1)
    result = purged("none", untagged=True)
    assert stock.manifests >= {inner_child, child, inner, outer, young}
    assert loose not in stock.manifests
    assert reasons(result) == {
        inner_child: f"{inner} lists it",
        child: f"{outer} lists it",
        inner: f"{outer} lists it",
        young: reasons(result)[young],
    }
    purged("v1", untagged=True)
    assert stock.manifests & {inner_child, child, inner, outer} == set()


def test_children_of_an_unlisted_index_are_retained(stock: Stock, purged: Purged) -> None:
    child = stock.artifact()
    stock.index("v1", children=[child], listEnabled=False)
    assert "lists it" in reasons(purged("none", untagged=True))[child]
    assert child in stock.manifests


def test_referrers_are_retained_with_their_subject(stock: Stock, purged: Purged) -> None:
    subject = stock.artifact("v1")
    sbom = stock.artifact(subject=subject)
    signature = stock.artifact(subject=sbom)
    orphan = stock.artifact(subject="sha256:" + "0" * 64)
    result = purged("none", untagged=True)
    assert stock.manifests == {subject, sbom, signature}
    assert [one.digest for one in result.manifests] == [orphan]
    assert reasons(result) == {sbom: f"it is attached to {subject}", signature: f"it is attached to {sbom}"}


def test_subjects_are_deleted_only_with_include_referrers(stock: Stock, purged: Purged) -> None:
    subject = stock.artifact("v1")
    sbom = stock.artifact(subject=subject)
    signature = stock.artifact(subject=sbom)
    result = purged("v1", untagged=True)
    assert (len(result.tags), result.manifests) == (1, [])
    assert f"{sbom} is attached to it" == reasons(result)[subject]
    result = purged("v1", untagged=True, referrers=True)
    assert [one.digest for one in result.manifests] == [signature, sbom, subject]
    assert stock.manifests == set()


@pytest.mark.parametrize("options", [{"age": 1}, {"writeEnabled": False}, {"tagged": "signed"}])
def test_a_retained_referrer_retains_its_subject(stock: Stock, purged: Purged, options: dict[str, Any]) -> None:
    subject = stock.artifact()
    tags = [options.pop("tagged")] if "tagged" in options else []
    referrer = stock.artifact(*tags, subject=subject, **options)
    others = [stock.artifact(f"t{number}") for number in range(3)]
    result = purged("none", untagged=True, referrers=True)
    assert stock.manifests == {subject, referrer, *others}
    assert reasons(result)[subject] == f"{referrer}, which stays, is attached to it"


def test_lists_for_few_candidates_and_reads_for_many(stock: Stock, purged: Purged, app: App) -> None:
    for number in range(5):
        stock.artifact(f"v{number}")
    stock.artifact()
    purged("none", untagged=True)
    assert (count(app, "/referrers/"), count(app, "/manifests/sha256")) == (1, 1)
    doomed = [stock.artifact() for _ in range(7)]
    signed = stock.artifact("s", subject=doomed[0])
    purged("none", untagged=True)
    assert (count(app, "/referrers/"), count(app, "/manifests/sha256")) == (0, 7 + 6)
    assert stock.manifests >= {doomed[0], signed}
    assert len(stock.manifests) == 5 + 2


def test_signatures_by_cosign_belong_to_their_image(stock: Stock, purged: Purged) -> None:
    image, unsigned = stock.artifact("v1"), "sha256:" + "1" * 64
    stock.artifact(image.replace(":", "-") + ".sig")
    stock.artifact(unsigned.replace(":", "-") + ".sig")
    result = purged("sha256-.*")
    assert stock.tags == {"v1", image.replace(":", "-") + ".sig"}
    assert list(reasons(result).values()) == [f"it belongs to {image}"]
    result = purged("v1", untagged=True, referrers=True)
    assert reasons(result)[image].endswith(".sig belongs to it")
    assert image in stock.manifests


def test_referrers_of_the_tag_schema_are_retained(stock: Stock, purged: Purged, app: App) -> None:
    app.world.registries[0].referrers_api = False
    try:
        subject = stock.artifact()
        referrer = stock.artifact(subject=subject)
        stock.index(subject.replace(":", "-"), children=[referrer])
        assert purged(untagged=True, referrers=True).manifests == []
        assert {subject, referrer} <= stock.manifests
        lonely = stock.artifact("x")
        assert [one.digest for one in purged("x", untagged=True).manifests] == [lonely]
    finally:
        app.world.registries[0].referrers_api = True


def list_tag(digest: str) -> str:
    """Return the tag of the list of referrers of *digest*."""
    return digest.replace(":", "-")


def _on_a_release(stock: Stock, subject: str, child: str) -> None:
    stock.index("v1", list_tag(subject), children=[child])


def _on_an_untagged_index(stock: Stock, subject: str, child: str) -> None:
    stock.index(list_tag(subject), children=[child])


def _of_a_missing_subject(stock: Stock, subject: str, child: str) -> None:
    referrer = stock.artifact(subject="sha256:" + "e" * 64, age=1)
    stock.index("sha256-" + "e" * 64, children=[referrer, child])


def _of_referrers_of_a_missing_subject(stock: Stock, subject: str, child: str) -> None:
    orphan = stock.artifact(subject="sha256:" + "e" * 64)
    stock.index("sha256-" + "e" * 64, children=[orphan])
    stock.index(list_tag(subject), children=[child])


def _partly_referrers(stock: Stock, subject: str, child: str) -> None:
    stock.index(list_tag(subject), children=[stock.artifact(subject=subject, age=1), child])


def _of_its_own_child(stock: Stock, subject: str, child: str) -> None:
    stock.index(list_tag(child), children=[child])


def _in_upper_case(stock: Stock, subject: str, child: str) -> None:
    stock.index(f"sha256-{subject[7:].upper()}", children=[child])


def _of_sha512(stock: Stock, subject: str, child: str) -> None:
    stock.index("sha512-" + "a" * 64, children=[child])


def _claimed_by_another_list(stock: Stock, subject: str, child: str) -> None:
    other = stock.artifact("other")
    stock.index(list_tag(other), children=[child])
    stock.index(list_tag(subject), children=[child])


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("referrers", [True, False])
@pytest.mark.parametrize(
    "attack",
    [
        _on_a_release, _on_an_untagged_index, _of_a_missing_subject, _partly_referrers, _of_its_own_child,
        _of_referrers_of_a_missing_subject, _in_upper_case, _of_sha512, _claimed_by_another_list,
    ],
)  # fmt: skip
def test_a_tag_of_a_list_makes_no_index_one(
    stock: Stock, purged: Purged, app: App, attack: Any, referrers: bool, api: bool
) -> None:
    subject, child = stock.artifact("subject"), stock.artifact()
    attack(stock, subject, child)
    before = stock.manifests
    app.world.registries[0].referrers_api = api
    try:
        purged(untagged=True, tags=False, referrers=referrers)
        purged("none", untagged=True, referrers=referrers)
    finally:
        app.world.registries[0].referrers_api = True
    assert stock.manifests == before


def test_the_children_of_a_list_stay_with_their_subject(stock: Stock, purged: Purged) -> None:
    subject = stock.artifact("subject")
    referrer = stock.artifact(subject=subject)
    listed = stock.index(list_tag(subject), children=[referrer])
    assert reasons(purged("subject", untagged=True, referrers=True)) == {
        referrer: f"{listed} lists it",
        subject: f"the tag {list_tag(subject)} belongs to it",
    }
    assert stock.manifests == {subject, referrer, listed}


def test_locked_manifests_and_repositories_are_retained(stock: Stock, purged: Purged, app: App) -> None:
    locked = stock.artifact(deleteEnabled=False)
    result = purged(untagged=True)
    assert reasons(result) == {locked: "it is locked: deleteEnabled=false"}
    stock.artifact("a")
    stock.state.repositories[stock.repository].attributes.deleteEnabled = False
    result = purged(untagged=True)
    assert reasons(result)["a"] == "the repository is locked: deleteEnabled=false"
    assert (result.tags, count(app, "", "DELETE")) == ([], 0)


def test_a_failure_is_reported_and_the_rest_deleted(stock: Stock, purged: Purged, app: App) -> None:
    stays, goes, loose = stock.artifact("a"), stock.artifact("b"), stock.artifact()
    app.faults.add({"method": "DELETE", "path": "_tags/a$", "action": "status", "status": 400, "times": 1})
    app.faults.add({"method": "DELETE", "path": loose, "action": "status", "status": 400, "times": 1})
    result = purged(untagged=True)
    assert {str(one.reference.version) for one in result.failed} == {"a", loose}
    assert {one.digest for one in result.manifests} == {goes}
    assert reasons(result) == {stays: "it has the tag a"}
    again = purged(untagged=True)
    assert ({one.digest for one in again.manifests}, again.failed) == ({stays, loose}, [])
    assert stock.manifests == set()


def test_a_child_is_retained_if_deleting_its_index_fails(stock: Stock, purged: Purged, app: App) -> None:
    child = stock.artifact()
    index = stock.index(children=[child])
    app.faults.add({"method": "DELETE", "path": index, "action": "status", "status": 400})
    result = purged(untagged=True)
    assert [str(one.reference.version) for one in result.failed] == [index]
    assert reasons(result) == {child: f"{index} was not deleted"}
    assert stock.manifests == {child, index}


def test_changes_since_the_plan_are_respected(stock: Stock, purged: Purged) -> None:
    tagged, listed, signed, goes = (stock.artifact() for _ in range(4))

    def meanwhile() -> None:
        stock.tag("new", tagged, age=0)
        stock.index("index", children=[listed], age=0)
        stock.artifact(subject=signed, age=0)

    result = purged("none", untagged=True, meanwhile=meanwhile)
    assert [one.digest for one in result.manifests] == [goes]
    assert {tagged, listed, signed} <= stock.manifests
    assert reasons(result)[tagged] == "it has the tag new"
    assert "lists it" in reasons(result)[listed]
    assert "is attached to it" in reasons(result)[signed]


def test_a_manifest_that_another_client_deleted_is_no_failure(stock: Stock, purged: Purged) -> None:
    lost, goes = stock.artifact("a"), stock.artifact("b")
    stock.artifact("stays", age=0)

    def meanwhile() -> None:
        stock.state.remove_manifest(stock.repository, lost)

    result = purged(untagged=True, meanwhile=meanwhile)
    assert ({one.tag for one in result.tags}, result.failed, result.retained) == ({"a", "b"}, [], [])
    assert [one.digest for one in result.manifests] == [goes]
    assert stock.tags == {"stays"}


def test_a_lost_connection_fails_the_rest_at_once(stock: Stock, purged: Purged, app: App) -> None:
    for number in range(30):
        stock.artifact(f"t{number}")
    app.faults.add({"method": "DELETE", "action": "reset", "nth": 3, "times": 1000})
    result = purged()
    assert len(result.failed) + len(result.tags) == 30
    assert len(result.failed) >= 25
    app.faults.remove()
    purged()
    assert stock.tags == set()


def test_throttling_is_no_failure(stock: Stock, purged: Purged, app: App) -> None:
    for number in range(5):
        stock.artifact(f"t{number}")
    for path in ("/_tags", "/_manifests", "/manifests/", "/oauth2/token"):
        app.faults.add({"path": path, "action": "status", "status": 429, "times": 2, "headers": {"Retry-After": "0"}})
    result = purged(untagged=True)
    assert (len(result.tags), len(result.manifests), result.failed) == (5, 5, [])


def test_an_unreadable_index_stops_the_purge(stock: Stock, purged: Purged, app: App) -> None:
    child = stock.artifact()
    index = stock.index("v1", children=[child])
    app.faults.add({"method": "GET", "path": f"/manifests/{index}", "action": "status", "status": 404})
    with pytest.raises(errors.NotFoundError):
        purged("none", untagged=True)
    assert child in stock.manifests


def test_many_repositories_take_one_token(app: App, signed_in: Any) -> None:
    stocks = [Stock(app.store, f"purge/many-{number}") for number in range(12)]
    for one in stocks:
        one.artifact("old")
    order = PurgeOrder([parse_filter("purge/many-.*:.*")], parse_age("1d"))
    app.log.clear()
    registry = signed_in()
    result = purge(registry, plan_purge(registry, order, datetime.now(timezone.utc)), Progress())
    assert (len(result.tags), [one.tags for one in stocks]) == (12, [set()] * 12)
    assert count(app, "/oauth2/token", "POST") == 3  # to list repositories, and for ten of them each
    pages = -(-len(stocks[0].state.names()) // 100)
    assert (count(app, "/_catalog"), count(app, "/_tags$")) == (pages, 24)


def test_a_tag_that_is_pushed_again_is_retained(stock: Stock, purged: Purged) -> None:
    digests = {tag: stock.artifact(tag) for tag in ("moved", "again", "old")}

    def meanwhile() -> None:
        stock.tag("moved", stock.artifact(), age=90)
        stock.tag("again", digests["again"], age=0)

    result = purged(meanwhile=meanwhile)
    assert [one.tag for one in result.tags] == ["old"]
    assert {(item.reference.tag, item.why) for item in result.retained} == {
        ("moved", "it was pushed again meanwhile"),
        ("again", "it was pushed again meanwhile"),
    }
    assert stock.tags == {"moved", "again"}


def test_a_missing_repository_has_nothing_left_to_purge(stock: Stock, purged: Purged) -> None:
    result = purged("x", untagged=True)
    assert (result.tags, result.failed) == ([], [])
    assert [one.why for one in result.unmatched] == ["the repository does not exist"]
    stock.artifact("a")
    result = purged("a", "purge/none:.*")
    assert ([one.tag for one in result.tags], result.failed) == (["a"], [])
    assert [(one.typed, one.why) for one in result.unmatched] == [("purge/none:.*", "the repository does not exist")]
    assert purged("nothing-.*:.*").unmatched[0].why == "no repository matches"


@pytest.mark.parametrize(
    ("repository", "tag", "why", "hint"),
    [
        ("{}", "dev-*", "no tag matches", "filters are no globs: write dev-.* for dev-*"),
        ("{}", "DEV-.*", "no tag matches", "upper and lower case differ: write (?i:DEV-.*) for both"),
        ("{}", "x", "no tag matches", ""),
        ("purge/*", ".*", "no repository matches", "filters are no globs: write purge/.* for purge/*"),
        ("Purge/.*", ".*", "no repository matches", "names of repositories are in lower case: write purge/.*"),
    ],
)
def test_a_filter_that_matches_nothing_is_named(
    stock: Stock, purged: Purged, repository: str, tag: str, why: str, hint: str
) -> None:
    stock.artifact("dev-1")
    text = f"{repository.format(stock.repository)}:{tag}"
    result = purged(text, f"{stock.repository}:dev-.*")
    assert [(one.typed, one.why, one.hint) for one in result.unmatched] == [(text, why, hint)]
    assert [one.tag for one in result.tags] == ["dev-1"]
    assert purge_output(result)["unmatched"] == [{"filter": text, "reason": "; ".join(filter(None, [why, hint]))}]


def test_a_tag_that_is_too_young_is_matched(stock: Stock, purged: Purged) -> None:
    stock.artifact("dev-1", age=1)
    assert purged("dev-.*").unmatched == []


def test_a_reader_may_only_dry_run(stock: Stock, purged: Purged) -> None:
    stock.artifact("a")
    with pytest.raises(errors.PermissionDeniedError, match="may not remove tags"):
        purged(who="reader")
    assert len(purged(who="reader", dry_run=True).failed) == 1  # the plan succeeds, the deletion is denied
    assert stock.tags == {"a"}


def test_the_json(stock: Stock, purged: Purged) -> None:
    stock.artifact("x" * 128)
    subject = stock.artifact("v1", age=0)
    attached = stock.artifact(subject=subject)
    out = purge_output(purged("x+", untagged=True))
    assert out["deletedTags"] == [f"{stock.repository}:{'x' * 128}"]
    assert out["kept"] == [{"reference": f"{stock.repository}@{attached}", "reason": f"it is attached to {subject}"}]
