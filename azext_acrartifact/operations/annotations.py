"""Annotations from the command line and from a file in ORAS's format.

The file holds a JSON object whose keys are `$manifest`, `$config` or the title of a file, each with an object of
strings (https://oras.land/docs/how_to_guides/manifest_annotations).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import InvalidInputError, LocalFileError

MANIFEST = "$manifest"
CONFIG = "$config"
FILE_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Annotations:
    """Annotations of the manifest, of the config, and of *files* by their titles."""

    manifest: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def collect_annotations(pairs: Iterable[str], path: str | None) -> Annotations:
    """Read the annotation file at *path*, if any, and add `KEY=VALUE` *pairs* to those of the manifest; pairs win.

    Raises `InvalidInputError` or `LocalFileError`.
    """
    groups = _read(path) if path else {}
    manifest = {**groups.pop(MANIFEST, {}), **dict(map(_pair, pairs))}
    return Annotations(manifest, groups.pop(CONFIG, {}), groups)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InvalidInputError("Not an annotation", where=text, hint="Write KEY=VALUE.")
    return key, value


def _read(path: str) -> dict[str, dict[str, str]]:
    try:
        with open(path, "rb") as file:
            groups = json.loads(file.read(FILE_LIMIT))
    except OSError as error:
        raise LocalFileError("Cannot read the annotation file", where=path, why=error.strerror or "") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The annotation file is not JSON", where=path, why=str(error)) from error
    if not isinstance(groups, dict) or not all(map(_is_group, groups.values())):
        raise InvalidInputError(
            "The annotation file has the wrong structure",
            where=path,
            hint='Write {"$manifest": {"KEY": "VALUE"}, "FILE": {"KEY": "VALUE"}}.',
        )
    return groups


def _is_group(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
