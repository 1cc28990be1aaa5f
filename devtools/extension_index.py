"""An index for `az extension add --name`: a file of our own, in the form of Azure CLI's (`formatVersion` 1).

Azure CLI reads `downloadUrl`, `filename`, `sha256Digest`, and in `metadata` the version, `azext.isPreview` and
`azext.minCliCoreVersion` (azure.cli.core.extension._resolve). The other fields are those that
`azdev extension update-index` writes, which a test compares.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from email.message import Message
from pathlib import Path
from typing import Any

from devtools import wheel as wheels

METADATA = f"{wheels.PACKAGE}/azext_metadata.json"

_FIELDS = ("Name", "Version", "Summary", "License", "Metadata-Version", "Requires-Python", "Description-Content-Type")


def document(wheel: Path, folder_url: str) -> dict[str, Any]:
    """Return an index with the one extension *wheel*, which is to be downloaded from the folder *folder_url*."""
    entry = {
        "downloadUrl": f"{folder_url.rstrip('/')}/{wheel.name}",
        "filename": wheel.name,
        "metadata": metadata(wheel),
        "sha256Digest": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }
    return {"extensions": {"acrartifact": [entry]}, "formatVersion": "1"}


def metadata(wheel: Path) -> dict[str, Any]:
    """Return what an index says of *wheel*: its METADATA in JSON, and its azext_metadata.json."""
    found = wheels.metadata(wheel)
    with zipfile.ZipFile(wheel) as archive:
        of_azure_cli = json.loads(archive.read(METADATA))
    named = {field.lower().replace("-", "_"): found[field] for field in _FIELDS}
    return {
        **named,
        "classifiers": found.get_all("Classifier", []),
        "extras": [],
        "run_requires": [],  # `wheel.problems` finds a requirement; extras are for pip alone
        "extensions": {"python.details": {"contacts": [_author(found)], "project_urls": _urls(found)}},
        **of_azure_cli,
    }


def _author(found: Message) -> dict[str, str]:
    return {"role": "author", "name": found["Author"], "email": found["Author-email"]}


def _urls(found: Message) -> dict[str, str]:
    return {"Home": found["Home-page"]}
