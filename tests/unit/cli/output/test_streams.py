"""Standard streams that are closed, or whose encoding does not have every character."""

from __future__ import annotations

import io
import json
import sys

import pytest

from azext_acrartifact.cli.output.streams import make_streams_usable, plain, was_closed


def stream(encoding: str) -> io.TextIOWrapper:
    """Return a stream that writes *encoding*."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_character_that_a_stream_does_not_have_is_escaped_as_in_json(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    shown = stream(encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    make_streams_usable()
    print(json.dumps({"title": "ü-…-日本-😀"}, ensure_ascii=False), file=shown, flush=True)
    written = shown.buffer.getvalue()  # type: ignore[attr-defined]
    assert b"\\u65e5\\u672c-\\ud83d\\ude00" in written
    assert json.loads(written.decode(encoding)) == {"title": "ü-…-日本-😀"}


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "├── a…b"), ("ascii", "|-- a~b"), ("cp1252", "|-- a…b"), ("cp437", "├── a~b")]
)
def test_symbols_become_ascii_where_they_cannot_be_written(encoding: str, shown: str) -> None:
    assert plain("├── a…b", stream(encoding)) == shown


def test_a_closed_stream_is_the_null_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not was_closed(sys.stdout)
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    make_streams_usable()
    made = (sys.stdin, sys.stdout, sys.stderr)
    assert all(map(was_closed, made))
    assert sys.stdin.read() == ""
    print("nothing", file=sys.stderr)
    for one in made:
        one.close()
