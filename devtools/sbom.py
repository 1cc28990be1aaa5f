"""A bill of materials of the wheel: SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3/).

SPDX, because it has a relationship for what Azure CLI provides at run time, `PROVIDED_DEPENDENCY_OF`: the wheel itself
requires nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import extension_index
from devtools import wheel as wheels

BUILD_TOOLS = ("setuptools", "wheel")

_PACKAGE, _DOCUMENT = "SPDXRef-acrartifact", "SPDXRef-DOCUMENT"
_COPYRIGHT = "Copyright (c) acrartifact contributors"


@dataclass(frozen=True)
class Dependency:
    """Another package, its *relationship* to ours, its version if it is one, and a *comment*."""

    name: str
    relationship: str
    version: str = ""
    comment: str = ""

    @property
    def reference(self) -> str:
        """The identifier of the package within the document."""
        return f"SPDXRef-{self.name}"

    def package(self) -> dict[str, Any]:
        """Return its entry in the list of packages."""
        purl = f"pkg:pypi/{self.name}" + (f"@{self.version}" if self.version else "")
        entry: dict[str, Any] = {
            "name": self.name,
            "SPDXID": self.reference,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
            "externalRefs": [
                {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
            ],
        }
        optional = {"versionInfo": self.version, "comment": self.comment}
        return {**entry, **{name: value for name, value in optional.items() if value}}


def document(wheel: Path) -> dict[str, Any]:
    """Return the SPDX document that describes *wheel*: its files, what it runs with and what built it."""
    name, version = wheels.metadata(wheel)["Name"], wheels.metadata(wheel)["Version"]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    files, others = _files(wheel), dependencies(wheel)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": f"{name}-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "creationInfo": {"created": _created(), "creators": ["Tool: dev.py release"]},
        "packages": [_described(wheel, digest, files), *(other.package() for other in others)],
        "files": files,
        "relationships": [
            _relationship(_DOCUMENT, "DESCRIBES", _PACKAGE),
            *(_relationship(_PACKAGE, "CONTAINS", file["SPDXID"]) for file in files),
            *(_relationship(other.reference, other.relationship, _PACKAGE) for other in others),
        ],
    }


def dependencies(wheel: Path) -> list[Dependency]:
    """Return what *wheel* runs with: Azure CLI, what its extras name for users, and the tools that built it."""
    with zipfile.ZipFile(wheel) as archive:
        minimum = json.loads(archive.read(extension_index.METADATA))["azext.minCliCoreVersion"]
    provided = f"{minimum} or later; provides requests, knack, azure-core, msal and azure-mgmt-containerregistry"
    found = [Dependency("azure-cli", "PROVIDED_DEPENDENCY_OF", comment=provided)]
    for line in wheels.metadata(wheel).get_all("Requires-Dist", []):
        requirement, _, marker = line.partition(";")
        matched = re.match(r"[\w.-]+", requirement)
        if matched and 'extra == "test"' not in marker:
            relationship = "OPTIONAL_DEPENDENCY_OF" if "extra ==" in marker else "RUNTIME_DEPENDENCY_OF"
            found.append(Dependency(matched[0], relationship, comment=line))
    return found + [Dependency(tool, "BUILD_TOOL_OF", importlib.metadata.version(tool)) for tool in BUILD_TOOLS]


def _files(wheel: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        return [
            {
                "fileName": f"./{name}",
                "SPDXID": f"SPDXRef-file-{number}",
                "checksums": [_checksum("SHA1", content), _checksum("SHA256", content)],
                "licenseConcluded": "MIT",
                "licenseInfoInFiles": ["NOASSERTION"],
                "copyrightText": _COPYRIGHT,
            }
            for number, name in enumerate(archive.namelist(), 1)
            for content in [archive.read(name)]
        ]


def _checksum(algorithm: str, content: bytes) -> dict[str, str]:
    """Return a checksum of *content*; SPDX asks for SHA-1 besides any other."""
    value = hashlib.new(algorithm.lower(), content, usedforsecurity=False).hexdigest()
    return {"algorithm": algorithm, "checksumValue": value}


def _described(wheel: Path, digest: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    found = wheels.metadata(wheel)
    # https://spdx.github.io/spdx-spec/v2.3/package-information/#79-package-verification-code-field
    sha1s = "".join(sorted(file["checksums"][0]["checksumValue"] for file in files))
    return {
        "name": found["Name"],
        "SPDXID": _PACKAGE,
        "versionInfo": found["Version"],
        "packageFileName": wheel.name,
        "downloadLocation": "NOASSERTION",
        "homepage": found["Home-page"],
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": _checksum("SHA1", sha1s.encode())["checksumValue"]},
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "licenseConcluded": "MIT",
        "licenseDeclared": found["License"],
        "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": _COPYRIGHT,
        "summary": found["Summary"],
        "primaryPackagePurpose": "APPLICATION",
    }


def _relationship(element: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": other}


def _created() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(wheels.epoch())))
