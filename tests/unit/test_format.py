"""Tables as a terminal of a hundred columns shows them, with names as long as they are in practice."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from knack.output import OutputProducer, format_table
from knack.util import CommandResultItem

from azext_acrartifact._format import (
    copy_table,
    harmless,
    human_size,
    layout_table,
    list_table,
    login_table,
    logout_table,
    pull_table,
    purge_table,
    push_table,
    show_table,
    tag_table,
    update_table,
)
from azext_acrartifact.cli.output.referrer_tree import referrers_table
from azext_acrartifact.commands import _table, load_command_table

WIDTH = 100
DIGEST = "sha256:" + "0123456789abcdef" * 4
SUBJECT = "sha256:" + "fedcba9876543210" * 4
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
LONGEST = "application/vnd.example.a-vendor-whose-name-is-long.supply-chain.attestation.in-toto.v1+json"
OPEN = {"deleteEnabled": True, "writeEnabled": True}


def drawn(transform: Callable[[Any], Any], result: Any) -> str:
    """Return the table that `-o table` prints, without trailing blanks."""
    shown = io.StringIO()
    item = CommandResultItem(result, table_transformer=transform)
    OutputProducer.out(OutputProducer, item, formatter=format_table, out_file=shown)  # type: ignore[arg-type]
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    assert max(map(len, lines)) <= WIDTH
    return "\n".join(lines) + "\n"


def listed(tags: list[str], kind: str | None, size: int | None) -> dict[str, Any]:
    return {
        "tags": tags,
        "digest": DIGEST,
        "artifactType": kind,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "size": size,
        "lastUpdateTime": "2026-11-23T12:20:42.1234567Z",
        "changeableAttributes": {**OPEN, "writeEnabled": size is not None},
    }


def test_list() -> None:
    items = [
        listed(["1.0", "latest", "2026-11-23.4-linux-amd64-release"], LONGEST, 1_073_636_147),
        listed([], None, None),
    ]
    assert drawn(list_table, items) == (
        "Tags                  Digest        ArtifactType                    Size        Updated     Locked\n"
        "--------------------  ------------  ------------------------------  ----------  ----------  --------\n"
        "…linux-amd64-release  0123456789ab  …n.attestation.in-toto.v1+json  1023.9 MiB  2026-11-23  no\n"
        "                      0123456789ab  …n/vnd.oci.image.index.v1+json              2026-11-23  yes\n"
    )


def test_backup_and_restore() -> None:
    found = {
        "tags": [{"tag": tag} for tag in ("1.0", "latest", "2026-11-23.4-linux")],
        "manifests": [{}] * 10_000,
        "blobs": [{}] * 60_000,
        "bytesSkipped": 1_073_636_147,
    }
    saved = {**found, "destination": "C:\\backups of the team\\registry\\bundle.tar", "bytesDownloaded": 3}
    assert drawn(layout_table, saved) == (
        "Layout                        Tags                  Manifests    Blobs    Downloaded    Skipped\n"
        "----------------------------  --------------------  -----------  -------  ------------  ----------\n"
        "…he team\\registry\\bundle.tar  … 2026-11-23.4-linux  10000        60000    3 B           1023.9 MiB\n"
    )
    restored = drawn(layout_table, {**found, "tags": [], "source": "saved", "bytesUploaded": 3})
    assert restored.split()[:6] == ["Layout", "Tags", "Manifests", "Blobs", "Uploaded", "Skipped"]


def referrer(kind: str | None, *below: dict[str, Any]) -> dict[str, Any]:
    created = {"org.opencontainers.image.created": "2026-11-23T12:20:42Z"}
    return {"artifactType": kind, "digest": DIGEST, "annotations": created, "referrers": list(below)}


def test_list_referrers() -> None:
    tree = referrer(LONGEST, referrer(SIGSTORE, referrer(None, referrer(LONGEST))))
    assert drawn(referrers_table, {"referrers": [tree]}) == (
        "ArtifactType                                                       Digest        Created\n"
        "-----------------------------------------------------------------  ------------  -------------------\n"
        "└── …-whose-name-is-long.supply-chain.attestation.in-toto.v1+json  0123456789ab  2026-11-23T12:20:42\n"
        "└──── application/vnd.dev.sigstore.bundle.v0.3+json                0123456789ab  2026-11-23T12:20:42\n"
        "└────── (unknown type)                                             0123456789ab  2026-11-23T12:20:42\n"
        "└──────── …-name-is-long.supply-chain.attestation.in-toto.v1+json  0123456789ab  2026-11-23T12:20:42\n"
    )


DETAIL = {
    "name": "2026-11-23.4-linux-amd64-release",
    "digest": DIGEST,
    "mediaType": "application/vnd.oci.image.index.v1+json",
    "artifactType": LONGEST,
    "size": 1_073_636_147,
    "createdTime": "2026-11-22T12:20:42.1234567Z",
    "lastUpdateTime": "2026-11-23T12:20:42.1234567Z",
    "tags": [f"2026-11-{day}.4-linux-amd64-release" for day in range(20, 24)],
    "changeableAttributes": OPEN,
    "manifestAttributes": {**OPEN, "writeEnabled": False},
    "platform": {"os": "linux", "architecture": "arm64"},
    "subject": {"digest": SUBJECT, "mediaType": "application/vnd.oci.image.manifest.v1+json"},
    "referrersCount": 3,
    "referrerTypes": [{"artifactType": SIGSTORE, "count": 2}, {"artifactType": None, "count": 1}],
    "files": [{"title": "models/" + "a-folder/" * 10 + "weights.safetensors", "size": 5_000_000_000}],
    "manifests": [{"digest": SUBJECT, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}],
}
PLAIN = {key: value for key, value in DETAIL.items() if key != "referrersCount"}


def test_show() -> None:
    assert drawn(show_table, PLAIN) == (
        "Artifact              Digest        Type                   Files    Size        Updated     Locked\n"
        "--------------------  ------------  ---------------------  -------  ----------  ----------  --------\n"
        "…linux-amd64-release  0123456789ab  …tion.in-toto.v1+json  1        1023.9 MiB  2026-11-23  no\n"
    )


def test_show_gives_the_type_what_the_others_leave() -> None:
    assert drawn(show_table, PLAIN | {"name": "1.0", "size": 20}) == (
        "Artifact    Digest        Type                                 Files    Size    Updated     Locked\n"
        "----------  ------------  -----------------------------------  -------  ------  ----------  --------\n"
        "1.0         0123456789ab  …-chain.attestation.in-toto.v1+json  1        20 B    2026-11-23  no\n"
    )


def test_no_line_of_a_table_begins_with_a_command_of_a_pipeline() -> None:
    title = "x" * 77 + "-::error::owned" + "y" * 66 + "##[error]"
    rows = harmless(
        show_table(DETAIL | {"files": [{"title": title, "size": 1}], "artifactType": "z" * 82 + "::error::"})
    )
    shown = drawn(lambda _: rows, None)
    assert [row["Value"] for row in rows].count(": :error::") == 1
    assert not [line for line in shown.splitlines() if line.strip().startswith("::") or "##[" in line]
    assert _table("_format.list_table")(["a", "::error::"]) == [{"Repository": "a"}, {"Repository": ": :error::"}]


def test_tables_have_a_row_for_each_file() -> None:
    file = {"title": "a.txt", "size": 2048, "mediaType": "a/b", "digest": DIGEST, "state": "uploaded", "path": "/a.txt"}
    rows = push_table({"files": [file]})
    assert [list(row.values()) for row in rows] == [["a.txt", "2.0 KiB", "a/b", DIGEST[7:19], "uploaded"]]
    assert list(push_table({"files": [], "reference": "r", "digest": DIGEST})[0]) == ["Artifact", "Digest"]
    skipped = {**file, "title": None}
    assert [row["State"] for row in pull_table({"files": [file], "skipped": [skipped]})] == ["uploaded", "left out"]


@pytest.mark.parametrize(
    ("attributes", "locked"),
    [
        (None, "no"),
        ({}, "no"),
        ({"writeEnabled": True, "deleteEnabled": True}, "no"),
        ({"deleteEnabled": False}, "yes"),
        ({"writeEnabled": False}, "yes"),
        ({"readEnabled": False}, "no"),
    ],
)
def test_show_says_whether_it_is_locked(attributes, locked: str) -> None:
    (row,) = show_table({**PLAIN, "changeableAttributes": attributes})
    assert (row["Locked"], row["Files"], row["Updated"]) == (locked, 1, "2026-11-23")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (1024**4, "1.0 TiB"),
        (1024**5 * 3, "3072.0 TiB"),
    ],
)
def test_sizes_for_a_person(size: int, text: str) -> None:
    assert human_size(size) == text


def test_copy() -> None:
    manifest = {"artifactType": SIGSTORE, "mediaType": "a/b", "digest": DIGEST, "size": 700, "state": "copied"}
    blobs = [{"size": size, "state": "mounted"} for size in (1, 2)]
    assert drawn(copy_table, {"manifests": [manifest], "blobs": blobs}) == (
        "ArtifactType                                   Digest        Size    State\n"
        "---------------------------------------------  ------------  ------  -------\n"
        "application/vnd.dev.sigstore.bundle.v0.3+json  0123456789ab  700 B   copied\n"
        "2 blobs                                                      3 B     mounted\n"
    )


def test_tag() -> None:
    longest = "v" * 128
    assert drawn(tag_table, {"digest": DIGEST, "tags": ["stable", longest]}) == (
        f"Tag{' ' * 79}Digest\n{'-' * 80}  ------------\nstable{' ' * 76}0123456789ab\n…{'v' * 79}  0123456789ab\n"
    )


def test_update() -> None:
    attributes = {**OPEN, "listEnabled": True, "readEnabled": True, "writeEnabled": False}
    tagged = {
        "name": "2026-11-23.4-linux-amd64-release-candidate-2",
        "digest": DIGEST,
        "changeableAttributes": attributes,
    }
    assert drawn(update_table, tagged) == (
        "Artifact                              DeleteEnabled    ListEnabled    ReadEnabled    WriteEnabled\n"
        "------------------------------------  ---------------  -------------  -------------  --------------\n"
        "…3.4-linux-amd64-release-candidate-2  yes              yes            yes            no\n"
    )
    for kind, name in (("digest", DIGEST), ("imageName", "samples/bundle")):
        row = update_table({kind: name, "changeableAttributes": None})[0]
        assert (row["Artifact"], row["WriteEnabled"]) == ("0123456789ab" if kind == "digest" else name, "")


def test_login_and_logout() -> None:
    stored = {
        "loginServer": "aregistrywithaname-a1b2c3d4e5f6.azurecr.io",
        "identity": "user '00000000-0000-0000-0000-000000000001'",
        "keptIn": "C:\\Users\\somebody\\.docker\\config.json",
        "expiresOn": "2026-11-23T15:20:42+00:00",
    }
    assert drawn(login_table, stored) == (
        "LoginServer                 Identity                  KeptIn                  ExpiresOn\n"
        "--------------------------  ------------------------  ----------------------  --------------------\n"
        "…e-a1b2c3d4e5f6.azurecr.io  …0000-0000-000000000001'  …y\\.docker\\config.json  2026-11-23T15:20:42Z\n"
    )
    assert login_table({**stored, "expiresOn": None})[0]["ExpiresOn"] == ""
    assert drawn(logout_table, {**stored, "removed": True}) == (
        "LoginServer                                 KeptIn                                 Removed\n"
        "------------------------------------------  -------------------------------------  ---------\n"
        "aregistrywithaname-a1b2c3d4e5f6.azurecr.io  C:\\Users\\somebody\\.docker\\config.json  yes\n"
    )


def test_show_with_details() -> None:
    assert drawn(show_table, DETAIL) == (
        "Property        Value\n"
        "--------------  ---------------------------------------------------------------------------------\n"
        "Tag             2026-11-23.4-linux-amd64-release\n"
        "Digest          sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
        "MediaType       application/vnd.oci.image.index.v1+json\n"
        "ArtifactType    application/vnd.example.a-vendor-whose-name-is-long.supply-chain.attestation.in-\n"
        "                toto.v1+json\n"
        "Size            1023.9 MiB\n"
        "Created         2026-11-22T12:20:42\n"
        "Updated         2026-11-23T12:20:42\n"
        "Tags            2026-11-20.4-linux-amd64-release, 2026-11-21.4-linux-amd64-release,\n"
        "                2026-11-22.4-linux-amd64-release, 2026-11-23.4-linux-amd64-release\n"
        "Tag locks       none\n"
        "Artifact locks  writeEnabled=false\n"
        "Platform        linux/arm64\n"
        "Attached to     sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\n"
        "Referrers       3\n"
        "of type         2 application/vnd.dev.sigstore.bundle.v0.3+json\n"
        "of type         1 (unknown)\n"
        "File            models/a-folder/a-folder/a-folder/a-folder/a-folder/a-folder/a-folder/a-folder/a-\n"
        "                folder/a-folder/weights.safetensors (4.7 GiB)\n"
        "Holds           linux/arm/v7\n"
        "                sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\n"
    )


def test_purge() -> None:
    repository = "team/department/product/component"
    result = {
        "dryRun": True,
        "deletedTags": [f"{repository}:2026-11-23.4-linux-amd64-release"],
        "deletedManifests": [f"{repository}@{DIGEST}"],
        "failed": [{"reference": f"{repository}@{SUBJECT}", "error": "The manifest was not deleted " * 5}],
        "kept": [{"reference": f"{repository}@{SUBJECT}", "reason": f"it is attached to {DIGEST}"}],
        "unmatched": [{"filter": "a:x", "reason": "no tag matches"}],
    }
    assert drawn(purge_table, result) == (
        "State      Artifact                                      Reason\n"
        "---------  --------------------------------------------  -----------------------------------------\n"
        "to delete  team/department/produc…4-linux-amd64-release\n"
        "to delete  team/department/produc…t@sha256:0123456789ab\n"
        "failed     team/department/produc…t@sha256:fedcba987654  The manifest was not …est was not deleted\n"
        "kept       team/department/produc…t@sha256:fedcba987654  it is attached to sha256:0123456789ab\n"
        "no match   a:x                                           no tag matches\n"
    )


class Recorded:
    """Stands in for Azure CLI's loader and its group: records the table transformer of each command."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}

    def command_group(self, *_: Any, **__: Any) -> Any:
        return contextlib.nullcontext(self)

    def custom_command(self, name: str, _function: str, table_transformer: Any = None) -> None:
        self.tables[name] = table_transformer

    custom_show_command = custom_command


def test_every_command_with_a_result_has_a_table() -> None:
    recorded = Recorded()
    load_command_table(recorded, [])
    assert {name for name, transform in recorded.tables.items() if transform is None} == {"delete", "untag"}
    assert recorded.tables["tag"]({"digest": DIGEST, "tags": ["a"]}) == [{"Tag": "a", "Digest": "0123456789ab"}]
    missing = {"name": "a", "changeableAttributes": {}}
    assert recorded.tables["update"](missing)[0]["Artifact"] == "a"
    for name in ("login", "logout"):
        stored = {"loginServer": "s", "identity": "i", "keptIn": "k", "expiresOn": None, "removed": False}
        assert recorded.tables[name](stored)[0]["KeptIn"] == "k"
