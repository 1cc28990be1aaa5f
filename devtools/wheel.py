"""`dev.py wheel`: build the wheel, check it, and install it as a user would.

It is built from a copy with a fixed time, and its zip is written anew with fixed modes and without compression, so that
the same sources give the same bytes anywhere (https://reproducible-builds.org/docs/source-date-epoch/) and the checkout
stays clean.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

from devtools import environment, steps

DIST = steps.ROOT / "dist"
PACKAGE = "azext_acrartifact"
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "HISTORY.rst")
EPOCH = "315532800"
"""1980-01-01, the first time that a zip entry can have, in seconds since 1970."""
_UNIX = 3
"""The system that made a zip entry, which says how to read its mode (APPNOTE.TXT, 4.4.2)."""


def stage(folder: Path) -> None:
    """Copy the sources of the distribution into *folder*."""
    for name in SOURCES:
        copy_text(steps.ROOT / name, folder / name)
    shutil.copytree(
        steps.ROOT / PACKAGE, folder / PACKAGE, copy_function=copy_text, ignore=shutil.ignore_patterns("*.pyc")
    )


def copy_text(source: str | Path, target: str | Path) -> None:
    """Copy *source* with the line ends of Linux, which git on Windows may have changed in the checkout."""
    Path(target).write_bytes(Path(source).read_bytes().replace(b"\r\n", b"\n"))


def build(dist: Path = DIST) -> Path:
    """Build the wheel into *dist*, replace older ones there, and return its path; raise `steps.Failed` on failure."""
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "source")
        folder.mkdir()
        stage(folder)
        built = _bdist_wheel(folder)
        for old in dist.glob("acrartifact-*.whl"):
            if old.name != built.name:
                old.unlink()
        # A rename is atomic: other processes never see an incomplete wheel.
        partial = dist / f"{built.name}.{os.getpid()}"
        _write_uniformly(built, partial)
        return partial.replace(dist / built.name)


def problems(wheel: Path) -> list[str]:
    """Return the problems of *wheel*: in its name, its metadata, its files."""
    found = [] if wheel.name.endswith("-py3-none-any.whl") else [f"{wheel.name} is not py3-none-any"]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
        found += _content_problems(names, info)
        found += _metadata_problems(archive.read(f"{info}/METADATA").decode())
        if archive.read(f"{info}/top_level.txt").decode().split() != [PACKAGE]:
            found.append(f"top_level.txt does not name {PACKAGE} alone")
    return found


def install(wheel: Path, az_environment: dict[str, str]) -> None:
    """Run `az extension add` with *wheel* but no package index, then its help; raise `steps.Failed` on failure."""
    az = [sys.executable, "-m", "azure.cli"]
    variables = {**az_environment, "PIP_NO_INDEX": "1"}
    add = [*az, "extension", "add", "--source", str(wheel), "--yes"]
    steps.must("az extension add", add, variables)
    steps.must("az extension show", [*az, "extension", "show", "--name", "acrartifact", "--output", "table"], variables)
    steps.must("az acr artifact --help", [*az, "acr", "artifact", "--help"], variables)


def version() -> str:
    """Return VERSION of the package, read and not imported as in setup.py."""
    text = (steps.ROOT / PACKAGE / "_version.py").read_text(encoding="utf-8")
    return text.partition('VERSION = "')[2].partition('"')[0]


def epoch() -> str:
    """Return the time of everything in a release, in seconds since 1970: the user's SOURCE_DATE_EPOCH, or `EPOCH`."""
    return os.environ.get("SOURCE_DATE_EPOCH", EPOCH)


def metadata(wheel: Path) -> Message:
    """Return METADATA of *wheel*."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def _write_uniformly(built: Path, wheel: Path) -> None:
    """Write the files of *built* to *wheel* as on any other system: zlib and zlib-ng compress differently, and Windows
    has no modes (https://peps.python.org/pep-0427/ allows files that are not compressed)."""
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as target:
        for given in sorted(source.infolist(), key=lambda info: (".dist-info/" in info.filename, info.filename)):
            entry = zipfile.ZipInfo(given.filename, given.date_time)
            entry.create_system, entry.external_attr = _UNIX, 0o100644 << 16
            target.writestr(entry, source.read(given))


def _bdist_wheel(folder: Path) -> Path:
    variables = {**environment.clean(), "SOURCE_DATE_EPOCH": epoch()}
    argv = [sys.executable, "setup.py", "--quiet", "bdist_wheel"]
    done = subprocess.run(argv, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise steps.Failed(f"Could not build the wheel:\n{done.stdout}{done.stderr}", done.returncode)
    return next(folder.glob("dist/*.whl"))


def _content_problems(names: list[str], info: str) -> list[str]:
    foreign = [name for name in names if name.split("/")[0] not in (PACKAGE, info) or name.endswith(".pyc")]
    wanted = [f"{PACKAGE}/__init__.py", f"{PACKAGE}/azext_metadata.json", f"{PACKAGE}/py.typed"]
    sources = [path.relative_to(steps.ROOT).as_posix() for path in (steps.ROOT / PACKAGE).rglob("*.py")]
    return [f"contains {name}" for name in foreign] + [
        f"{name} is missing" for name in {*wanted, *sources} - set(names)
    ]


def _metadata_problems(text: str) -> list[str]:
    metadata = Parser().parsestr(text)
    found = [f"METADATA has no {field}" for field in ("Version", "Summary", "License") if not metadata[field]]
    if metadata["Name"] != "acrartifact":
        found.append("METADATA names another distribution")
    if metadata["Requires-Python"] != ">=3.10":
        found.append("METADATA does not require Python >=3.10")
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    return found + [f"METADATA requires {line}" for line in required]


def main(_arguments: list[str]) -> int:
    """Build, check and install the wheel, and print its path; return 1 if it has a problem."""
    steps.say("==> building the wheel")
    wheel = build()
    found = problems(wheel)
    for problem in found:
        steps.say(f"{wheel.name}: {problem}")
    if found:
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folders = {"AZURE_CONFIG_DIR": f"{temporary}/config", "AZURE_EXTENSION_DIR": f"{temporary}/extensions"}
        install(wheel, {**environment.clean(), **folders, "AZURE_CORE_COLLECT_TELEMETRY": "no"})
    print(wheel.relative_to(steps.ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
