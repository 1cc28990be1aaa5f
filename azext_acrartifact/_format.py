"""Results as tables, for `-o table`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from .cli.output.columns import DIGEST_WIDTH, fitted, short_digests, tags_text, terminal_width
from .cli.output.streams import plain
from .cli.output.units import human_size
from .oci.reference import tag_order
from .text import LINE_LIMIT, printable

Row = dict[str, Any]


def push_table(result: Row) -> list[Row]:
    """Return a row for each tag of a push, or for its digest, and one for each file."""
    size, digest = human_size(result["size"]), result["digest"]
    kind = result["artifactType"] or result["mediaType"]
    verb = "would push" if result.get("dryRun") else "pushed"
    names = [_with_tag(result["reference"], tag) for tag in result["tags"]] or [result["reference"]]
    state = verb if result["tags"] else f"{verb}, no tag"
    tagged = {"size": size, "digest": digest, "mediaType": kind, "state": state}
    return _file_rows([*((name, tagged) for name in names), *((file["title"], file) for file in result["files"])])


def pull_table(result: Row) -> list[Row]:
    """Return a row for each file of a pull, the skipped ones last."""
    skipped = [(file["title"] or "", {**file, "state": "left out"}) for file in result["skipped"]]
    return _file_rows([*((file["path"], file) for file in result["files"]), *skipped])


def show_table(result: Row) -> list[Row]:
    """Return one row for an artifact, or with its details a row for each of its properties."""
    if "referrersCount" in result:
        return [{"Property": name, "Value": text} for name, text in _properties(result)]
    holds = f"{len(result['files'])} files" if len(result["files"]) != 1 else "1 file"
    row = {
        "Name": result["name"] or "",
        "Digest": result["digest"],
        "Holds": ", ".join(_platform(child["platform"]) for child in result["manifests"]) or holds,
        "Size": human_size(result["size"]),
        "Updated": _minute(result["lastUpdateTime"]),
        "Locked": _yes_or_no(_is_locked(result["changeableAttributes"], result.get("manifestAttributes"))),
        "ArtifactType": result["artifactType"] or result["mediaType"],
    }
    return [row]


def tag_table(result: Row) -> list[Row]:
    """Return a row for each tag that was added."""
    return [{"Tag": tag, "Digest": result["digest"]} for tag in result["tags"]]


def untag_table(result: Row) -> list[Row]:
    """Return one row: the tag that was removed."""
    return [{"Removed": "tag", "Name": result["reference"]}]


def delete_table(result: Row) -> list[Row]:
    """Return a row for each tag and artifact that was deleted: first the artifact, then what was attached to it."""
    tags = [{"Deleted": "tag", "Name": tag, "Digest": result["digest"], "ArtifactType": ""} for tag in result["tags"]]
    attached = [
        {"Deleted": "attached", "Name": "", "Digest": one["digest"], "ArtifactType": one["artifactType"] or ""}
        for one in result["referrers"]
    ]
    artifact = {"Deleted": "artifact", "Name": result["reference"], "Digest": result["digest"], "ArtifactType": ""}
    return [artifact, *tags, *attached]


def update_table(result: Row) -> list[Row]:
    """Return one row: the tag, artifact or repository, and its attributes after the update."""
    values = result["changeableAttributes"] or {}
    name = result.get("name") or result.get("digest") or result.get("imageName") or ""
    attributes = ("deleteEnabled", "listEnabled", "readEnabled", "writeEnabled")
    shown = {attribute[:1].upper() + attribute[1:]: _yes_or_no(values.get(attribute)) for attribute in attributes}
    return [{"Artifact": name, **shown}]


def sign_table(result: list[Row]) -> list[Row]:
    """Return a row for each artifact that was signed."""
    return [
        {
            "Artifact": one["reference"].partition("@")[0],
            "Digest": one["digest"],
            "Signature": one["signature"] or "",
            "Algorithm": one["algorithm"],
            "Signer": one["signer"]["subject"] or "",
        }
        for one in result
    ]


def verify_table(result: Row) -> list[Row]:
    """Return a row for each signature."""
    return [
        {
            "Signature": one["digest"],
            "Format": one["format"] or "",
            "Verified": _yes_or_no(one["verified"]),
            "Signer": (one["signer"]["subject"] or "") if one["signer"] else "",
            "Reason": one["reason"] or "",
        }
        for one in result["signatures"]
    ]


def login_table(result: Row) -> list[Row]:
    """Return one row: the registry, the identity, the store, and the end of the credential."""
    row = {
        "LoginServer": result["loginServer"],
        "Identity": result["identity"],
        "KeptIn": result["keptIn"],
        "ExpiresOn": f"{result['expiresOn'][:19]}Z" if result["expiresOn"] else "",
    }
    return [row]


def logout_table(result: Row) -> list[Row]:
    """Return one row: the registry, the store, and whether there was a credential."""
    server, store = result["loginServer"], result["keptIn"]
    return [{"LoginServer": server, "KeptIn": store, "Removed": _yes_or_no(result["removed"])}]


def access_table(result: Row) -> list[Row]:
    """Return a row for each action on each repository, with the role to ask for when it is not allowed."""
    return [
        {
            "Repository": one["repository"],
            "Action": one["action"],
            "Allowed": _yes_or_no(one["allowed"]),
            "Ask for": "" if one["allowed"] else one["role"],
        }
        for one in result["access"]
    ]


def copy_table(result: Row) -> list[Row]:
    """Return a row for each tag of the copy, or for its digest, one for each manifest with its own size, and one for
    all blobs of the same state."""
    names = [_with_tag(result["reference"], tag) for tag in result["tags"]] or [result["reference"]]
    state = next((item["state"] for item in result["manifests"] if item["digest"] == result["digest"]), "copied")
    tagged = [_copied_row(name, result["digest"], None, state) for name in names]
    manifests = [
        _copied_row(item["artifactType"] or item["mediaType"], item["digest"], item["size"], item["state"])
        for item in result["manifests"]
    ]
    states = sorted({item["state"] for item in result["blobs"]})
    by_state = {state: [item["size"] for item in result["blobs"] if item["state"] == state] for state in states}
    return [*tagged, *manifests] + [
        _copied_row(f"{len(sizes)} blob{'s' if len(sizes) > 1 else ''}", "", sum(sizes), state)
        for state, sizes in by_state.items()
    ]


def layout_table(result: Row) -> list[Row]:
    """Return one row for a backup or a restore."""
    moved = "Downloaded" if "destination" in result else "Uploaded"
    row = {
        "Layout": result.get("destination") or result["source"],
        "Tags": tags_text(sorted((one["tag"] for one in result["tags"]), key=tag_order)),
        "Manifests": len(result["manifests"]),
        "Blobs": len(result["blobs"]),
        "New" if result.get("dryRun") else moved: human_size(result[f"bytes{moved}"]),
        "Exists" if result.get("dryRun") else "Skipped": human_size(result["bytesSkipped"]),
    }
    return [row]


def list_table(result: list[Any]) -> list[Row]:
    """Return a row for each repository, or for each artifact."""
    return [_listed_row(item) if isinstance(item, dict) else {"Repository": item} for item in result]


def purge_table(result: Row) -> list[Row]:
    """Return a row for each tag and artifact: first what is deleted, then what failed, then what stays."""
    verb = "to delete" if result["dryRun"] else "deleted"
    deleted = [(verb, reference, "") for reference in (*result["deletedTags"], *result["deletedManifests"])]
    failed = [("failed", item["reference"], item["error"]) for item in result["failed"]]
    stays = [("kept", item["reference"], item["reason"]) for item in result["kept"]]
    stays += [("no match", item["filter"], item["reason"]) for item in result["unmatched"]]
    return [
        {"State": state, "Artifact": reference, "Reason": reason}
        for state, reference, reason in (*deleted, *failed, *stays)
    ]


def harmless(rows: list[Row]) -> list[Row]:
    """Return *rows* as the terminal shows them, with their texts as `printable` after they were wrapped and cut: a line
    of a table may begin with the middle of a text."""

    def shown(cell: Any) -> Any:
        return plain(printable(cell, LINE_LIMIT), sys.stdout) if isinstance(cell, str) else cell

    width = terminal_width(sys.stdout)
    return [{name: shown(cell) for name, cell in row.items()} for row in fitted(rows, width)]


def _properties(result: Row) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each property; a long value takes several lines."""
    subject, platform = result["subject"], result["platform"]
    found: list[tuple[str, str]] = [
        ("Tag", result["name"] or ""),
        ("Digest", result["digest"]),
        ("MediaType", result["mediaType"]),
        ("ArtifactType", result["artifactType"] or ""),
        ("Size", human_size(result["size"])),
        ("Created", _minute(result["createdTime"])),
        ("Updated", _minute(result["lastUpdateTime"])),
        ("Tags", tags_text(sorted(result["tags"], key=tag_order))),
        ("Tag locks", _locks(result["changeableAttributes"]) if result["name"] else ""),
        ("Artifact locks", _locks(result["manifestAttributes"])),
        ("Platform", "/".join(filter(None, platform.values()))),
        ("Attached to", subject["digest"] if subject else ""),
        ("Referrers", str(result["referrersCount"])),
        *((" of type", _counted(item)) for item in result["referrerTypes"]),
        *(("File", f"{file['title']} ({_size_and_parts(file)})") for file in result["files"]),
        *(("Holds", f"{_platform(child['platform'])} {child['digest']}") for child in result["manifests"]),
    ]
    width = terminal_width(sys.stdout)
    room = max(20, width - 2 - max(len(name) for name, _ in found)) if width else LINE_LIMIT
    for name, value in found:
        for number, line in enumerate(textwrap.wrap(value if room >= DIGEST_WIDTH else short_digests(value), room)):
            yield name if number == 0 else "", line


def _counted(item: Row) -> str:
    """Return how many referrers have a type, and whose signatures they are, if they are some."""
    tool = f" (signature of {item['signature']})" if item.get("signature") else ""
    return f"{item['count']} {item['artifactType'] or '(unknown)'}{tool}"


def _platform(platform: Row | None) -> str:
    parts = [(platform or {}).get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part for part in parts if part) or "-"


def _locks(attributes: Row | None) -> str:
    """Return the attributes that are off."""
    return ", ".join(f"{name}=false" for name, value in (attributes or {}).items() if value is False) or "none"


def _is_locked(*attributes: Row | None) -> bool:
    """Return whether any of the objects with these *attributes* is locked."""
    names = ("writeEnabled", "deleteEnabled")
    return any(found.get(name) is False for found in attributes if found for name in names)


def _copied_row(name: str, digest: str, size: int | None, state: str) -> Row:
    return {"Name": name, "Digest": digest, "Size": "" if size is None else human_size(size), "State": state}


def _listed_row(item: Row) -> Row:
    return {
        "Tags": tags_text(sorted(item["tags"], key=tag_order)),
        "Digest": item["digest"],
        "Size": "" if item["size"] is None else human_size(item["size"]),
        "Updated": _minute(item["lastUpdateTime"]),
        "Locked": _yes_or_no(_is_locked(item["changeableAttributes"]) or bool(item["lockedTags"])),
        "ArtifactType": item["artifactType"] or item["mediaType"] or "",
    }


def _file_rows(files: list[tuple[str, Row]]) -> list[Row]:
    """Return a row for each file, by its name; with a column for parts if any file is in parts."""
    in_parts = any("parts" in file for _, file in files)
    return [
        {
            "Name": name,
            "Size": file["size"] if isinstance(file["size"], str) else human_size(file["size"]),
            **({"Parts": file.get("parts", "")} if in_parts else {}),
            "Digest": file["digest"],
            "State": file["state"],
            "MediaType": file["mediaType"],
        }
        for name, file in files
    ]


def _size_and_parts(file: Row) -> str:
    parts = [f"{file['parts']} parts of {human_size(file['partSize'])}"] if "parts" in file else []
    return ", ".join([human_size(file["size"]), *parts])


def _with_tag(reference: str, tag: str) -> str:
    """Return *reference*, SERVER/REPOSITORY:TAG, with another *tag*."""
    return f"{reference.rpartition(':')[0]}:{tag}"


def _minute(time: str | None) -> str:
    """Return *time*, in UTC, to the minute."""
    return f"{time[:16]}Z" if time else ""


def _yes_or_no(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else ""
