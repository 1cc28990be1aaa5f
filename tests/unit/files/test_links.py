"""Targets of symbolic links: none may leave the folder, on whatever way."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.files.links import why_unsafe_link


@pytest.mark.parametrize(
    ("target", "depth"),
    [
        ("a", 0),
        ("./a/b", 0),
        ("..", 1),
        ("../../a", 2),
        (".", 0),
        ("a//b/", 0),
        ("x/" * 511 + "yz", 0),
        ("..a/b..c", 0),
    ],
)
def test_accepts_targets_inside_the_folder(target: str, depth: int) -> None:
    assert why_unsafe_link(target, depth) is None


@pytest.mark.parametrize(
    ("target", "depth", "why"),
    [
        ("", 5, "empty"),
        ("x/" * 511 + "xyz", 0, "longer than 1024"),
        ("/a", 5, "absolute"),
        ("..", 0, "outside"),
        ("../../a", 1, "outside"),
        ("./../a", 0, "outside"),
        ("a/..", 5, "only allowed at the start"),
        ("../a/../b", 5, "only allowed at the start"),
        ("a/NUL", 0, "its target is a/NUL"),
        ("../a/b\\c", 1, "not allowed"),
        ("C:x", 0, "not allowed"),
        ("a/.acrartifact-x", 0, "reserved for temporary"),
    ],
)
def test_refuses_other_targets(target: str, depth: int, why: str) -> None:
    assert why in (why_unsafe_link(target, depth) or "")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "p/", "p/q/"]),
            st.lists(st.sampled_from(["..", ".", "p", "q", "l0", "l1", "", "/"]), max_size=5),
        ),
        max_size=4,
    )
)
def test_no_chain_of_links_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, links) -> None:
    """Resolve the links with the operating system, also through one another."""
    top = tmp_path_factory.mktemp("links") / "top"
    (top / "p/q").mkdir(parents=True)
    made: list[Path] = []
    for number, (folder, steps) in enumerate(links):
        target = "/".join(steps)
        if why_unsafe_link(target, folder.count("/")) is None:
            made.append(top / f"{folder}l{number}")
            os.symlink(target, made[-1])
    for link in made:
        try:
            link.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:  # leads nowhere, and realpath makes something up
                continue
        assert f"{os.path.realpath(link)}/".startswith(f"{top}/")
