"""Platforms as typed on the command line."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.operations.platforms import parse_platform, shown


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_/", max_size=20) | st.text(max_size=20))
def test_a_platform_reads_back_or_is_refused(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        platform = parse_platform(text)
        assert shown(platform) == text
        assert {"os", "architecture"} <= set(platform) <= {"os", "architecture", "variant"}
        assert all(platform.values())


@given(
    st.sampled_from(["linux", "windows", "darwin"]),
    st.sampled_from(["amd64", "arm64", "386"]),
    st.none() | st.just("v8"),
)
def test_every_platform_is_taken(system: str, architecture: str, variant: str | None) -> None:
    text = "/".join(filter(None, (system, architecture, variant)))
    assert parse_platform(text) == {
        "os": system, "architecture": architecture, **({"variant": variant} if variant else {}),
    }  # fmt: skip
