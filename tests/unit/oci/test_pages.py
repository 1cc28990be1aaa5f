"""The link to the next page: found in every spelling, and in no time in none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.oci.pages import next_link


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("</a?n=1>; rel=next", "/a?n=1"),
        ('</a>;rel="next"', "/a"),
        ('</a>; title="x"; REL = "last Next"', "/a"),
        ('</p>; rel="prev", </a>; rel="next"', "/a"),
        ("</p>; rel=prev,</a>; rel=next; n=1, </z>; rel=next", "/a"),
        ("<>; rel=next", ""),
        ("", None),
        ("</a>", None),
        ("</a>; rel=prev", None),
        ('</a>; rel=""', None),
        ("</a>; rel=", None),
        ("</a>; rel=nextpage", None),
        ("</a>; norel=next", None),
        ("</a; rel=next", None),
        ("/a; rel=next", None),
        ('</a>; rel="next', None),
    ],
)
def test_each_spelling(header: str, target: str | None) -> None:
    assert next_link(header) == target


_uri = st.text(st.characters(codec="ascii", exclude_characters="<> ", exclude_categories=["Cc"]), max_size=40)


@given(st.lists(st.tuples(_uri, st.sampled_from(["first", "prev", "last", "nexus"])), max_size=4), _uri)
def test_the_next_of_several_links_is_found(others: list[tuple[str, str]], target: str) -> None:
    links = [f'<{uri}>; rel="{relation}"' for uri, relation in others]
    assert next_link(", ".join(links)) is None
    assert next_link(", ".join([*links, f'<{target}>; rel="next"'])) == target


@given(st.text(st.sampled_from('<>;,="rel next a'), max_size=60))
def test_any_header_is_read(header: str) -> None:
    target = next_link(header)
    assert target is None or f"<{target}>" in header


@pytest.mark.parametrize("piece", ["<>;", "<a>;rel", "<", "<>;rel=prev,", '<>;rel="', ";", "<>; ; ", "<a"])
def test_a_header_as_long_as_is_read_takes_no_time(piece: str) -> None:
    began = time.monotonic()
    assert next_link(piece * (64 * 1024 // len(piece))) is None
    assert time.monotonic() - began < 5, "it grows with the square of its length"
