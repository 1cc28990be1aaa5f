"""Annotations from the command line and from a file in ORAS's format.

The file holds a JSON object whose keys are `$manifest`, `$config` or the title of a file, each with an object of
strings (https://oras.land/docs/how_to_guides/manifest_annotations).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import InvalidInputError, LocalFileError

MANIFEST = "$manifest"
CONFIG = "$config"
FILE_LIMIT = 4 * 1024 * 1024
_FORM = 'Write {"$manifest": {"KEY": "VALUE"}, "FILE": {"KEY": "VALUE"}}.'


@dataclass(frozen=True)
class Annotations:
    """Annotations of the manifest, of the config, and of *files* by their titles."""

    manifest: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def collect_annotations(pairs: Iterable[str], path: str | None) -> Annotations:
    """Read the annotation file at *path*, if any, and add `KEY=VALUE` *pairs* to those of the manifest.

    Raises `InvalidInputError`, also for a key that is given twice, or `LocalFileError`.
    """
    groups = _read(path) if path else {}
    manifest = dict(groups.pop(MANIFEST, {}))
    for key, value in map(_pair, pairs):
        _require_new(key, manifest, "--annotation")
        manifest[key] = value
    return Annotations(manifest, groups.pop(CONFIG, {}), groups)


def _require_new(key: str, known: Container[str], where: str) -> None:
    if key in known:
        raise InvalidInputError(
            f"The key '{key}' is given twice", where=where, hint="Leave one of them out: a key has one value."
        )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InvalidInputError("Not an annotation", where=text, hint="Write KEY=VALUE.")
    return key, value


def _read(path: str) -> dict[str, dict[str, str]]:
    try:
        with open(path, "rb") as file:
            groups = json.loads(file.read(FILE_LIMIT), object_pairs_hook=functools.partial(_distinct, path))
    except OSError as error:
        raise LocalFileError("Cannot read the annotation file", where=path, why=error.strerror or "") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The annotation file is not JSON", where=path, why=str(error), hint=_FORM) from error
    if not isinstance(groups, dict) or not all(map(_is_group, groups.values())):
        raise InvalidInputError("The annotation file has the wrong structure", where=path, hint=_FORM)
    return groups


def _distinct(path: str, pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return an object of the file as a dictionary. JSON lets the last of equal keys win (RFC 8259 § 4)."""
    found: dict[str, object] = {}
    for key, value in pairs:
        _require_new(key, found, path)
        found[key] = value
    return found


def _is_group(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
