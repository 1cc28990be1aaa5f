"""list: all pages or an error, in few requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact import errors
from azext_acrartifact.operations.list import ListOrder, list_artifacts
from tests.support.stock import Stock

ORDER = ListOrder("list/pages")


@pytest.fixture(scope="module")
def stock(azure: Any) -> Iterator[Stock]:
    """Yield a repository of 106 artifacts of unknown types, in a registry whose default page has three entries."""
    limits = azure[0].world.limits
    stock, before, limits.page_size = Stock(azure[0].store, ORDER.repository), limits.page_size, 3
    for _ in range(106):
        stock.artifact()
    yield stock
    limits.page_size = before


def test_all_pages_are_followed(stock: Stock, signed_in: Any, app: App) -> None:
    assert len(list_artifacts(signed_in(), ORDER)) == 106
    assert sum("/_manifests" in entry["path"] for entry in app.log.entries()) == 2


def test_top_bounds_the_types_that_are_read(stock: Stock, signed_in: Any, app: App) -> None:
    assert len(list_artifacts(signed_in(), ListOrder(ORDER.repository, top=2))) == 2
    assert sum("/v2/" in entry["path"] for entry in app.log.entries()) == 2


def test_an_incomplete_list_is_an_error(stock: Stock, signed_in: Any, app: App) -> None:
    app.faults.add({"path": "/_manifests", "action": "status", "nth": 2, "status": 403})
    with pytest.raises(errors.PermissionDeniedError):
        list_artifacts(signed_in(), ORDER)


def test_the_type_that_a_manifest_names_counts_not_that_of_its_config(azure: Any, signed_in: Any, app: App) -> None:
    stock = Stock(azure[0].store, "list/types")
    image = "application/vnd.oci.image.config.v1+json"
    module = stock.artifact("1", kind="application/vnd.example.module", config="application/vnd.example.config")
    volume = stock.artifact("2", kind="application/vnd.example.module", config=image)
    stock.artifact("3", kind="application/vnd.example.other", config=image)
    only = ListOrder(stock.repository, artifact_type="application/vnd.example.module")
    assert {item.digest for item in list_artifacts(signed_in(), only)} == {module, volume}
    app.log.clear()
    listed = {item.digest: item.artifact_type for item in list_artifacts(signed_in(), ListOrder(stock.repository))}
    assert (listed[module], listed[volume]) == ("application/vnd.example.module", image)
    assert sum("/manifests/" in entry["path"] for entry in app.log.entries()) == 1


def test_a_long_list_reads_some_types_and_has_the_others_of_their_configs(
    azure: Any, signed_in: Any, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azext_acrartifact.operations.list.MOST_READ", 2)
    stock = Stock(azure[0].store, "list/long")
    kind, config = "application/vnd.example", "application/vnd.example.config"
    for tag in "1234":
        stock.artifact(tag, kind=kind, config=config)
    stock.artifact("5", kind=kind)
    named = ListOrder(stock.repository, order="name")
    assert [item.artifact_type for item in list_artifacts(signed_in(), named)] == [kind, kind, config, config, None]
    assert sum("/manifests/" in entry["path"] for entry in app.log.entries()) == 2
    assert len(list_artifacts(signed_in(), ListOrder(stock.repository, artifact_type=kind))) == 5
