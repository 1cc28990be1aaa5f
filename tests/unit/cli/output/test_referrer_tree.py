"""The tree of referrers: no line is a command of a pipeline."""

from __future__ import annotations

from azext_acrartifact.cli.output.referrer_tree import referrers_table, referrers_tree


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


def test_signatures_are_named_as_such() -> None:
    kind = "application/vnd.cncf.notary.signature"
    one = {"artifactType": kind, "signature": "notation", "digest": "sha256:1", "annotations": {}, "referrers": []}
    tree = {"reference": "a", "digest": "sha256:0", "mediaType": "b/c", "referrers": [one]}
    assert f"{kind} (signature of notation)" in referrers_tree(tree)
    assert referrers_table(tree)[1]["ArtifactType"] == f"{kind} (signature of notation)"


def test_the_table_has_the_times_that_annotations_state() -> None:
    time = "2026-11-29T16:55:00+01:00"
    one = {"artifactType": "a/b", "digest": "sha256:1", "annotations": {}, "referrers": []}
    tree = {"reference": "a", "digest": "sha256:0", "mediaType": "b/c", "referrers": [one]}
    assert ["Created" in row for row in referrers_table(tree)] == [False, False]
    stated = {**one, "annotations": {"org.opencontainers.image.created": time}, "referrers": [one]}
    assert [row["Created"] for row in referrers_table({**tree, "referrers": [stated]})] == ["", time, ""]
