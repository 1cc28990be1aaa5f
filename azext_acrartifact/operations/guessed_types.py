"""Media types by the ends of file names, for --guess-media-type.

The table is fixed: that of Python's `mimetypes` depends on the machine, and the digest of the artifact would too.
Names of types: https://www.iana.org/assignments/media-types
"""

from __future__ import annotations

_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".tar": "application/x-tar",
    ".tar.gz": "application/gzip",
    ".tgz": "application/gzip",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}


def guessed_type(name: str) -> str | None:
    """Return the media type of a file called *name*; None if its end is in no table."""
    return next((kind for end, kind in _TYPES.items() if name.lower().endswith(end)), None)
