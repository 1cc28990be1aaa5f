"""The requests that docs/lifecycle.md promises for a thousand tags and two hundred referrers on three levels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact.cli.output.json import show_output
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.delete import delete, plan_delete
from azext_acrartifact.operations.list import ListOrder, list_artifacts
from azext_acrartifact.operations.list_referrers import flattened, list_referrers
from azext_acrartifact.operations.purge import preview
from azext_acrartifact.operations.purge_filters import parse_age, parse_filter
from azext_acrartifact.operations.purge_plan import PurgeOrder, plan_purge
from azext_acrartifact.operations.show import show
from tests.support.stock import KIND, Stock
from tests.unit.operations.conftest import SERVER

TAGS, LEVELS = 1000, (20, 3, 2)
REFERRERS = 20 + 60 + 120
PAGES = (TAGS + REFERRERS) // 100
IMAGE = "application/vnd.oci.image.config.v1+json"
REPOSITORY = "scale/large"
SUBJECT = parse_reference(f"{SERVER}/{REPOSITORY}:v0")
KINDS = {
    "token": r"/oauth2/token",
    "tags": r"/acr/v1/.*/_tags",
    "manifests": r"/acr/v1/.*/_manifests",
    "properties": r"/acr/v1/",
    "referrers": r"/referrers/",
    "read": r"/manifests/",
}


@pytest.fixture(scope="module")
def large(azure: Any) -> Stock:
    """Return the repository: one artifact for each tag, and all referrers below the first of them."""
    return _stocked(azure[0].store, REPOSITORY, TAGS)


def _stocked(store: Any, repository: str, tags: int) -> Stock:
    stock = Stock(store, repository)
    subjects = [stock.artifact(f"v{number}", config=IMAGE) for number in range(tags)][:1]
    for each in LEVELS:
        subjects = [stock.artifact(subject=subject) for subject in subjects for _ in range(each)]
    return stock


@pytest.fixture
def requests(app: App, large: Stock) -> Callable[[], dict[str, int]]:
    """Return a function that counts the requests of each kind since its last call."""

    def counted() -> dict[str, int]:
        paths = [entry["path"] for entry in app.log.entries() if entry["host"] == SERVER]
        app.log.clear()
        found = Counter(next(kind for kind, path in KINDS.items() if re.search(path, one)) for one in paths)
        assert found.pop("token") == 1
        return dict(found)

    return counted


def planned(registry: Registry, *filters: str, **options: Any) -> Any:
    """Return the result of a dry run."""
    order = PurgeOrder([parse_filter(text) for text in filters], parse_age("1d"), dry_run=True, **options)
    return preview(plan_purge(registry, order, datetime.now(timezone.utc)))


def test_list(signed_in: Any, requests: Any) -> None:
    assert len(list_artifacts(signed_in(), ListOrder(REPOSITORY))) == TAGS + REFERRERS
    assert requests() == {"manifests": PAGES, "read": REFERRERS, "tags": TAGS // 100}
    assert len(list_artifacts(signed_in(), ListOrder(REPOSITORY, "time_asc", top=10))) == 10
    assert requests() == {"manifests": 1, "tags": 10}


def test_list_referrers(signed_in: Any, requests: Any) -> None:
    assert len(list_referrers(signed_in(), SUBJECT).referrers) == LEVELS[0]
    assert requests() == {"read": 1, "referrers": 1}
    tree = list_referrers(signed_in(), SUBJECT, recursive=True)
    assert len(list(flattened(tree.referrers))) == REFERRERS
    assert requests() == {"read": 1, "referrers": 1 + REFERRERS}


def test_purge_dry_run(signed_in: Any, requests: Any) -> None:
    assert len(planned(signed_in(), f"{REPOSITORY}:.*").tags) == TAGS
    assert requests() == {"tags": TAGS // 100, "properties": 1}
    result = planned(signed_in(), f"{REPOSITORY}:v1.*", untagged=True, keep=11)
    assert (len(result.tags), len(result.manifests), len(result.retained)) == (100, 100, 11 + REFERRERS)
    # Candidates are read; the referrers of each unprotected one are listed, since the other manifests are more.
    assert requests() == {
        "tags": TAGS // 100, "manifests": PAGES, "read": 100 + REFERRERS, "referrers": 100, "properties": 1,
    }  # fmt: skip


def test_show_with_details(signed_in: Any, requests: Any) -> None:
    output = show_output(show(signed_in(), SUBJECT, detailed=True))
    assert (output["referrersCount"], output["referrerTypes"]) == (
        20,
        [{"artifactType": KIND, "signature": None, "count": 20}],
    )
    assert requests() == {"read": 1, "tags": 1, "manifests": 1, "referrers": 1}


def test_delete(app: App, signed_in: Any, requests: Any) -> None:
    plan = plan_delete(signed_in(), SUBJECT)
    assert (len(plan.referrers), plan.tags) == (REFERRERS, ["v0"])
    assert requests() == {"read": 1, "tags": 1, "manifests": PAGES, "referrers": 1 + REFERRERS}
    plan_delete(signed_in(), SUBJECT, confirmed=True)
    assert requests() == {"read": 1, "tags": 1, "manifests": PAGES, "referrers": 1}
    small = _stocked(app.store, "scale/small", 3)
    where = parse_reference(f"{SERVER}/scale/small:v0")
    registry = signed_in()
    deletion = plan_delete(registry, where)
    assert len(deletion.referrers) == REFERRERS
    # No lists for the lowest level: only two artifacts are left that could refer to it, so these are read.
    assert requests() == {"read": 1 + 2, "tags": 1, "manifests": 3, "referrers": 1 + 20 + 60}
    registry = signed_in()
    delete(registry, plan_delete(registry, where, confirmed=True, forced=True))
    assert requests() == {"read": 2 + 3, "tags": 1, "referrers": 1}
    assert small.tags == {"v1", "v2"}


def test_throttling(app: App, signed_in: Any, requests: Any, notices: list[str]) -> None:
    for path in ("/_manifests", "/_tags", "/referrers/", "/v2/.*/manifests/"):
        rule = {"path": path, "action": "status", "status": 429, "headers": {"Retry-After": "0"}}
        app.faults.add({**rule, "times": 1, "headers": {"Retry-After": "1"}})
        app.faults.add({**rule, "nth": 2, "times": 10_000, "probability": 0.05, "seed": 1})
    registry = signed_in()
    assert len(list_artifacts(registry, ListOrder(REPOSITORY))) == TAGS + REFERRERS
    assert len(list(flattened(list_referrers(registry, SUBJECT, recursive=True).referrers))) == REFERRERS
    assert len(planned(registry, f"{REPOSITORY}:v[0-9]{{1,2}}", untagged=True).tags) == 100
    assert len(plan_delete(registry, SUBJECT).referrers) == REFERRERS
    assert sum("Waiting 1." in text for text in notices) == 4
