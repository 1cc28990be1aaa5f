"""What is typed on the command line: every right spelling reads back, any other is refused."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.oci.mediatypes import is_media_type
from azext_acrartifact.operations.file_spec import FileSpec, parse_file_spec, title_of
from azext_acrartifact.operations.platforms import parse_platform, shown

_path = st.text("ab./- é", min_size=1, max_size=12).filter(lambda text: text.strip())
_drive = st.sampled_from(["", "C:\\", "d:/"])
_type = st.from_regex(r"[a-z][a-z0-9.+-]{0,9}/[a-z][a-z0-9.+-]{0,9}", fullmatch=True)


@given(_drive, _path, _type)
def test_path_and_type_read_back(drive: str, path: str, media_type: str) -> None:
    whole = f"{drive}{path}"
    assert parse_file_spec(f"{whole}:{media_type}") == FileSpec(whole, media_type)
    assert parse_file_spec(f"{whole}:") == FileSpec(whole)
    assert parse_file_spec(whole) == FileSpec(whole)


@given(st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=30))
def test_any_text_is_a_path_and_perhaps_a_type_or_is_refused(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        found = parse_file_spec(text)
        assert found.path
        assert found.media_type is None or is_media_type(found.media_type)
        assert text in (found.path, f"{found.path}:", f"{found.path}:{found.media_type}")


@given(st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=30))
def test_a_title_lies_below_the_current_folder(path: str) -> None:
    title = title_of(path)
    assert not title.startswith("/")
    assert ".." not in title.split("/")[:1]


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
