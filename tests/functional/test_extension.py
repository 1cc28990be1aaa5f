"""Add the extension from a URL, update it from an index of its own, and remove it, with `az extension`."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from devtools import release
from devtools import wheel as wheels
from tests.functional.az import Az, environment_for

OLDER = "0.9.9"
PREVIEW = "WARNING: The installed extension 'acrartifact' is in preview."
ALLOWED = ("--allow-preview", "true")
"""Without it, versions of Azure CLI differ in what they warn of, but not in what they install."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@dataclass(frozen=True)
class Site:
    """A release at *url*, its wheel, and an older wheel beside it."""

    url: str
    wheel: str
    older: str
    version: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a release and an older wheel."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        wheel = release.make(folder, url)[0]
        version = str(wheels.metadata(wheel)["Version"])
        older = with_version(wheel, version, OLDER)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(url, wheel.name, older.name, version)
        server.shutdown()


def with_version(wheel: Path, version: str, other: str) -> Path:
    """Write a copy of *wheel*, of *version*, beside it as the version *other*."""
    copy = wheel.with_name(wheel.name.replace(version, other))
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(version.encode(), other.encode())
            target.writestr(name.replace(version, other), content)
    return copy


@pytest.fixture
def fresh(emulator: Emulator, tmp_path: Path, site: Site) -> Az:
    """Return an `az` without extensions, without a package index, and with the index of the release."""
    az = Az(emulator, tmp_path, environment_for(emulator, tmp_path / "extensions", tmp_path / "azure"))
    return az.using(PIP_NO_INDEX="1", AZURE_EXTENSION_INDEX_URL=f"{site.url}/index.json")


def installed_version(az: Az) -> list[str]:
    """Return the version of the extension, if it is installed."""
    folder = Path(az.variables["AZURE_EXTENSION_DIR"]) / "acrartifact"
    return [info.name.split("-")[1].removesuffix(".dist") for info in folder.glob("*.dist-info")]


def test_its_life(fresh: Az, site: Site) -> None:
    added = fresh("extension", "add", "--source", f"{site.url}/{site.older}", "--yes")
    assert (added.code, added.stdout, added.stderr.splitlines()[-1]) == (0, "", PREVIEW)
    assert installed_version(fresh) == [OLDER]

    updated = fresh("extension", "update", "--name", "acrartifact")
    assert updated.code == 0, updated.stderr
    assert installed_version(fresh) == [site.version]
    assert fresh("acr", "artifact", "--help").code == 0

    removed = fresh("extension", "remove", "--name", "acrartifact")
    assert (removed.code, removed.stdout, removed.stderr) == (0, "", "")
    assert installed_version(fresh) == []


def test_it_is_added_by_name(fresh: Az, site: Site) -> None:
    added = fresh("extension", "add", "--name", "acrartifact", "--yes", *ALLOWED)
    assert (added.code, added.stdout, added.stderr.splitlines()) == (0, "", [PREVIEW])
    assert installed_version(fresh) == [site.version]
