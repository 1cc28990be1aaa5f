"""Tables as a terminal of a hundred columns shows them, with names as long as they are in practice."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from knack.output import OutputProducer, format_table
from knack.util import CommandResultItem

from azext_acrartifact._format import layout_table, list_table, purge_table, show_table
from azext_acrartifact._trees import referrers_table

WIDTH = 100
DIGEST = "sha256:" + "0123456789abcdef" * 4
SUBJECT = "sha256:" + "fedcba9876543210" * 4
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
LONGEST = "application/vnd.example.a-vendor-whose-name-is-long.supply-chain.attestation.in-toto.v1+json"
OPEN = {"deleteEnabled": True, "writeEnabled": True}


def drawn(transform: Callable[[Any], Any], result: Any) -> str:
    """What `-o table` prints, line by line without trailing blanks."""
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


def test_show() -> None:
    plain = {key: value for key, value in DETAIL.items() if key != "referrersCount"}
    assert drawn(show_table, plain) == (
        "Artifact              Digest        Type                   Files    Size        Updated     Locked\n"
        "--------------------  ------------  ---------------------  -------  ----------  ----------  --------\n"
        "…linux-amd64-release  0123456789ab  …tion.in-toto.v1+json  1        1023.9 MiB  2026-11-23  no\n"
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
    }
    assert drawn(purge_table, result) == (
        "State     Artifact                                      Reason\n"
        "--------  --------------------------------------------  -----------------------------------------\n"
        "would go  team/department/produc…4-linux-amd64-release\n"
        "would go  team/department/produc…t@sha256:0123456789ab\n"
        "failed    team/department/produc…t@sha256:fedcba987654  The manifest was not …est was not deleted\n"
        "kept      team/department/produc…t@sha256:fedcba987654  it is attached to sha256:0123456789ab\n"
    )
