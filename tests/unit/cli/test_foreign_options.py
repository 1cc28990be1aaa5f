"""Options of other tools."""

from __future__ import annotations

import pytest

from azext_acrartifact.cli.foreign_options import meant_by


@pytest.mark.parametrize(
    ("name", "options", "meant"),
    [
        ("--config", ["--manifest-config"], "Type --manifest-config."),
        ("--files", ["--file"], "Type --file."),
        ("--files", ["--include"], "Type --include."),
        ("--tag", ["--tags"], "Type --tags."),
        ("--tag", ["--image"], "Write the tag after the repository: REPOSITORY:TAG."),
        ("--lock", ["--write-enabled"], "Type --write-enabled false."),
        ("--annotaion", ["--annotation", "--name"], "Type --annotation."),
        ("--dryrun", ["--dry-run"], "Type --dry-run."),
        ("--config", ["--name"], None),
        ("--acquire-policy-token", ["--password-stdin", "--auth-mode"], None),
        ("-x", ["-n", "-r"], None),
    ],
)
def test_what_is_meant(name: str, options: list[str], meant: str | None) -> None:
    assert meant_by(name, options) == meant
