"""Results as tables, for `-o table`."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from .cli.output.streams import plain
from .text import LINE_LIMIT, printable

Row = dict[str, Any]
_VALUE = 82
"""Characters of a property's value on one line, which has a hundred with its name."""
_DIGEST = re.compile(r"sha(?:256|512):[0-9a-f]{64,}")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def push_table(result: Row) -> list[Row]:
    """Return a row for each file of a push, or one row for an artifact without files."""
    rows = [_file_row(file["title"], file) for file in result["files"]]
    return rows or [{"Artifact": result["reference"], "Digest": _short(result["digest"])}]


def pull_table(result: Row) -> list[Row]:
    """Return a row for each file of a pull, the skipped ones last."""
    rows = [_file_row(file["path"], file) for file in result["files"]]
    return rows + [_file_row(file["title"] or "", {**file, "state": "left out"}) for file in result["skipped"]]


def show_table(result: Row) -> list[Row]:
    """Return one row for an artifact, or with its details a row for each of its properties."""
    if "referrersCount" in result:
        return [{"Property": name, "Value": text} for name, text in _properties(result)]
    name, size = _shortened(result["name"] or "", 20), human_size(result["size"])
    # The columns that the others leave of a hundred; a heading takes two more than its letters.
    room = 51 - max(len(name), len("Artifact") + 2) - max(len(size), len("Size") + 2)
    row = {
        "Artifact": name,
        "Digest": _short(result["digest"]),
        "Type": _shortened(result["artifactType"] or result["mediaType"], room),
        "Files": len(result["files"]),
        "Size": size,
        "Updated": str(result["lastUpdateTime"])[:10],
        "Locked": _yes_or_no(_is_locked(result)),
    }
    return [row]


def tag_table(result: Row) -> list[Row]:
    """Return a row for each tag that was added."""
    digest = _short(result["digest"])
    return [{"Tag": _shortened(tag, 80), "Digest": digest} for tag in result["tags"]]


def update_table(result: Row) -> list[Row]:
    """Return one row: the tag, artifact or repository, and its attributes after the update."""
    values = result["changeableAttributes"] or {}
    name = result.get("name") or _short(result.get("digest") or "") or result.get("imageName") or ""
    attributes = ("deleteEnabled", "listEnabled", "readEnabled", "writeEnabled")
    shown = {attribute[:1].upper() + attribute[1:]: _yes_or_no(values.get(attribute)) for attribute in attributes}
    return [{"Artifact": _shortened(name, 36), **shown}]


def login_table(result: Row) -> list[Row]:
    """Return one row: the registry, the identity, the store, and the end of the credential."""
    row = {
        "LoginServer": _shortened(result["loginServer"], 26),
        "Identity": _shortened(result["identity"], 24),
        "KeptIn": _shortened(result["keptIn"], 22),
        "ExpiresOn": f"{result['expiresOn'][:19]}Z" if result["expiresOn"] else "",
    }
    return [row]


def logout_table(result: Row) -> list[Row]:
    """Return one row: the registry, the store, and whether there was a credential."""
    server, store = _shortened(result["loginServer"], 46), _shortened(result["keptIn"], 40)
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
    """Return a row for each manifest of a copy, with its own size, and one for all blobs of the same state."""
    manifests = [
        _copied_row(item["artifactType"] or item["mediaType"], _short(item["digest"]), item["size"], item["state"])
        for item in result["manifests"]
    ]
    states = sorted({item["state"] for item in result["blobs"]})
    by_state = {state: [item["size"] for item in result["blobs"] if item["state"] == state] for state in states}
    return manifests + [
        _copied_row(f"{len(sizes)} blob{'s' if len(sizes) > 1 else ''}", "", sum(sizes), state)
        for state, sizes in by_state.items()
    ]


def layout_table(result: Row) -> list[Row]:
    """Return one row for a backup or a restore."""
    moved = "Downloaded" if "destination" in result else "Uploaded"
    row = {
        "Layout": _shortened(result.get("destination") or result["source"], 28),
        "Tags": _shortened(", ".join(one["tag"] for one in result["tags"]), 20),
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
        {"State": state, "Artifact": _brief(reference, 44), "Reason": _brief(reason, 42)}
        for state, reference, reason in (*deleted, *failed, *stays)
    ]


def harmless(rows: list[Row]) -> list[Row]:
    """Return *rows* with their texts as `printable`, after they were wrapped and cut: a line of a table may begin with
    the middle of a text."""

    def shown(cell: Any) -> Any:
        return plain(printable(cell, LINE_LIMIT), sys.stdout) if isinstance(cell, str) else cell

    return [{name: shown(cell) for name, cell in row.items()} for row in rows]


def human_size(size: int) -> str:
    """Return *size*, in bytes, as at most four digits and a binary unit."""
    amount = float(size)
    for unit in _UNITS:
        if amount < 1024 or unit == _UNITS[-1]:
            break
        amount /= 1024
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def _properties(result: Row) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each property; a long value takes several lines."""
    subject, platform = result["subject"], result["platform"]
    plain: list[tuple[str, str]] = [
        ("Tag", result["name"] or ""),
        ("Digest", result["digest"]),
        ("MediaType", result["mediaType"]),
        ("ArtifactType", result["artifactType"] or ""),
        ("Size", human_size(result["size"])),
        ("Created", str(result["createdTime"] or "")[:19]),
        ("Updated", str(result["lastUpdateTime"] or "")[:19]),
        ("Tags", ", ".join(result["tags"])),
        ("Tag locks", _locks(result["changeableAttributes"]) if result["name"] else ""),
        ("Artifact locks", _locks(result["manifestAttributes"])),
        ("Platform", "/".join(filter(None, platform.values()))),
        ("Attached to", subject["digest"] if subject else ""),
        ("Referrers", str(result["referrersCount"])),
        *((" of type", f"{item['count']} {item['artifactType'] or '(unknown)'}") for item in result["referrerTypes"]),
        *(("File", f"{file['title']} ({human_size(file['size'])})") for file in result["files"]),
        *(("Holds", f"{_platform(child['platform'])} {child['digest']}") for child in result["manifests"]),
    ]
    for name, value in plain:
        for number, line in enumerate(textwrap.wrap(value, _VALUE)):
            yield name if number == 0 else "", line


def _platform(platform: Row | None) -> str:
    parts = [(platform or {}).get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part for part in parts if part) or "-"


def _locks(attributes: Row | None) -> str:
    """Return the attributes that are off."""
    return ", ".join(f"{name}=false" for name, value in (attributes or {}).items() if value is False) or "none"


def _is_locked(result: Row) -> bool:
    attributes = result["changeableAttributes"] or {}
    return not all(attributes.get(name, True) for name in ("writeEnabled", "deleteEnabled"))


def _copied_row(kind: str, digest: str, size: int, state: str) -> Row:
    return {"ArtifactType": _shortened(kind, 45), "Digest": digest, "Size": human_size(size), "State": state}


def _listed_row(item: Row) -> Row:
    return {
        "Tags": _shortened(", ".join(item["tags"]), 20),
        "Digest": _short(item["digest"]),
        "ArtifactType": _shortened(item["artifactType"] or item["mediaType"] or "", 30),
        "Size": "" if item["size"] is None else human_size(item["size"]),
        "Updated": str(item["lastUpdateTime"] or "")[:10],
        "Locked": _yes_or_no(_is_locked(item)),
    }


def _file_row(name: str, file: Row) -> Row:
    size, digest = human_size(file["size"]), _short(file["digest"])
    return {"File": name, "Size": size, "MediaType": file["mediaType"], "Digest": digest, "State": file["state"]}


def _brief(text: str, most: int) -> str:
    """Return *text* with its digests shortened, and without its middle if it is still too long."""
    text = _DIGEST.sub(lambda match: match.group()[:19], text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[1 - most + most // 2 :]}"


def _shortened(text: str, most: int) -> str:
    """Return the end of *text*, which says more than the beginning of a type or of a list of tags."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _short(digest: str) -> str:
    return digest.partition(":")[2][:12]


def _yes_or_no(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else ""
