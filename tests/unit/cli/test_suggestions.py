"""Suggestions for a text that is being typed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from azext_acrartifact.cli.suggestions import Typed, beginning_with, in_time
from tests.unit.cli.az_command import az_command


def slow(typed: Typed) -> Iterator[str]:
    """Yield a name, and another one much later."""
    yield typed.prefix
    time.sleep(1.5)
    yield f"{typed.prefix}b"


@pytest.mark.parametrize(("seconds", "found"), [(None, []), ("60", ["a", "ab"]), ("never", [])])
def test_an_incomplete_list_gives_nothing(seconds: str | None, found: list[str]) -> None:
    settings = {("acrartifact", "completion_timeout"): seconds} if seconds else {}
    assert in_time(slow, Typed(az_command(settings), "a", {})) == found


def test_an_error_gives_nothing_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Typed) -> Iterator[str]:
        logging.getLogger().error("This failed.")
        raise OSError

    assert in_time(fails, Typed(az_command(), "", {})) == []
    assert caplog.messages == []
    logging.getLogger().error("Logs are on again.")
    assert caplog.messages == ["Logs are on again."]


def test_a_name_that_does_not_match_ends_the_list_only_behind_the_prefix() -> None:
    names = iter(["a", "b", "ba", "bb", "c", "d"])
    assert list(beginning_with(names, "b")) == ["b", "ba", "bb"]
    assert list(names) == ["d"]
