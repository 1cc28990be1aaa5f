"""The differences between a recording and the emulator: those that a client can notice."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.live.comparison import differences, settings_of, shape, uncompared
from devtools.live.records import shortened


def one(status: int = 200, *headers: str, **more: Any) -> list[dict[str, Any]]:
    """Return the records of one probe."""
    return [{"probe": "p", "response": {"status": status, "headers": list(headers), **more}}]


@pytest.mark.parametrize(
    ("theirs", "ours", "lines"),
    [
        (one(404), one(), ["status: 404 in the file, 200 on the emulator"]),
        (one(200, "Range: 0-1"), one(), ["header range: 0-1 in the file, none on the emulator"]),
        (one(200, "Range: 0-1"), one(200, "range: 0-2"), ["header range: 0-1 in the file, 0-2 on the emulator"]),
        (one(200, "X-New: a"), one(), ["header x-new: present in the file, none on the emulator"]),
        (one(200, "X-New: a", "Date: x"), one(200, "x-new: b"), []),
        (one(body={"tags": None}), one(body={"tags": None}), []),
        (one(body={"errors": [{"code": "A"}]}), one(body={"errors": [{"code": "A"}]}), []),
        (one(body=None), one(), ['body: {"json": null} in the file, none on the emulator']),
        (one(body="text"), one(body="other"), ["body: text in the file, other on the emulator"]),
        ([{"probe": "p", "response": {"lost": "TimeoutError"}}], one(), [
            "lost: TimeoutError in the file, none on the emulator",
            "status: none in the file, 200 on the emulator",
        ]),
        ([{"probe": "p", "finding": {"selected": "h2"}}], [{"probe": "p", "finding": {"selected": ""}}],
         ['finding: {"selected": "h2"} in the file, {"selected": ""} on the emulator']),
        ([{"probe": "p", "unanswered": "no right"}], one(), []),
    ],
)  # fmt: skip
def test_a_difference_is_named(theirs: list[Any], ours: list[Any], lines: list[str]) -> None:
    assert differences(theirs, ours) == ({"p": lines} if lines else {})


def test_a_shape_tells_null_from_empty_and_counts_items() -> None:
    assert shape({"tags": None}) != shape({"tags": []})
    assert shape(["a", "b"]) == {"items": 2, "of": ["str"]}
    assert shape(shortened([{"n": number} for number in range(100)])) == {"items": 100, "of": [{"n": "int"}]}
    assert shape({"code": "A", "detail": "x"}) != shape({"code": "B", "detail": "x"})
    assert shape({"code": "A", "detail": "x"}) == shape({"code": "A", "detail": "y"})


def test_what_only_one_side_has_is_reported() -> None:
    theirs = [{"probe": "a", "unanswered": "no right"}, *one()]
    assert uncompared(theirs, one()) == ["a"]
    assert uncompared(one(), theirs) == ["a"]


def test_the_settings_of_the_recorded_registry_are_no_difference() -> None:
    exchange = {"probe": "exchange of a token for Resource Manager", "response": {"status": 401}}
    data = {"probe": "GET of a blob from the data endpoint", "response": {"status": 200}}
    assert settings_of([exchange, data]) == {"arm_audience_enabled": False, "data_endpoint_enabled": True}
    assert settings_of([]) == {"arm_audience_enabled": True, "data_endpoint_enabled": False}
