"""The setting `acrartifact.stall_timeout` and its limits."""

from __future__ import annotations

import pytest

from azext_acrartifact._client_factory import stall_timeout
from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.errors import InvalidInputError
from tests.unit.cli.az_command import az_command


def context(value: str | None) -> CommandContext:
    """Return the context of a command, with `acrartifact.stall_timeout` set or not."""
    return CommandContext(az_command({} if value is None else {("acrartifact", "stall_timeout"): value}))


@pytest.mark.parametrize(("value", "seconds"), [(None, 30.0), ("1", 1.0), ("45", 45.0), ("3600", 3600.0)])
def test_whole_seconds_are_accepted(value: str | None, seconds: float) -> None:
    assert stall_timeout(context(value)) == seconds


@pytest.mark.parametrize("value", ["", "0", "-1", "3601", "10000", "1.5", "x", "\u0663", "1e3", " 5", "9" * 5000])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError, match="Not a number of seconds"):
        stall_timeout(context(value))
