"""The tree of referrers: no line is a command of a pipeline."""

from __future__ import annotations

from azext_acrartifact.cli.output.referrer_tree import referrers_tree


def test_the_lines_of_the_tree_are_harmless() -> None:
    below = {"artifactType": "::error::x", "digest": "##[error]y", "annotations": {}, "referrers": []}
    tree = referrers_tree({"reference": "::r", "referrers": [{**below, "artifactType": None, "referrers": [below]}]})
    assert tree.splitlines() == [
        ": :r",
        "└── (unknown type)",
        "    └── # #[error]y",
        "        └── : :error::x",
        "            └── # #[error]y",
    ]
