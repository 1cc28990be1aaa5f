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
