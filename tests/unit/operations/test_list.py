"""list: all pages or an error, in few requests."""

from __future__ import annotations

import re
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


def count(app: App) -> dict[str, int]:
    """Return the number of requests of each kind since the last call, and clear the log."""
    entries = app.log.entries()
    app.log.clear()
    kinds = ("/_manifests", "/v2/.*/manifests/")
    return {kind: sum(bool(re.search(kind, entry["path"])) for entry in entries) for kind in kinds}


def test_all_pages_are_followed_and_each_type_is_read_once(stock: Stock, signed_in: Any, app: App) -> None:
    assert len(list_artifacts(signed_in(), ORDER)) == 106
    assert count(app) == {"/_manifests": 2, "/v2/.*/manifests/": 106}
    assert len(list_artifacts(signed_in(), ListOrder(ORDER.repository, top=2))) == 2
    assert count(app) == {"/_manifests": 1, "/v2/.*/manifests/": 2}


def test_an_incomplete_list_is_an_error(stock: Stock, signed_in: Any, app: App) -> None:
    app.faults.add({"path": "/_manifests", "action": "status", "nth": 2, "status": 403})
    with pytest.raises(errors.PermissionDeniedError):
        list_artifacts(signed_in(), ORDER)
