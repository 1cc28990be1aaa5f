"""The setting `acrartifact.stall_timeout` and its limits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from azext_acrartifact._client_factory import stall_timeout
from azext_acrartifact.errors import InvalidInputError


def context(value: str | None) -> Any:
    """Return the context that Azure CLI passes to a command, with `acrartifact.stall_timeout` set or not."""
    config = SimpleNamespace(get=lambda section, option, fallback: fallback if value is None else value)
    return SimpleNamespace(cli_ctx=SimpleNamespace(config=config))


@pytest.mark.parametrize(("value", "seconds"), [(None, 30.0), ("1", 1.0), ("45", 45.0), ("3600", 3600.0)])
def test_whole_seconds_are_accepted(value: str | None, seconds: float) -> None:
    assert stall_timeout(context(value)) == seconds


@pytest.mark.parametrize("value", ["", "0", "-1", "3601", "10000", "1.5", "x", "\u0663", "1e3", " 5", "9" * 5000])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError, match="Not a number of seconds"):
        stall_timeout(context(value))
