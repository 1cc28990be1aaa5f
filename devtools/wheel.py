"""`dev.py wheel`: build the wheel, look into it, and install it as a user would.

Built from a copy with uniform modes and a fixed time, so that the same sources give the same bytes anywhere
(https://reproducible-builds.org/docs/source-date-epoch/) and nothing is left in the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

from devtools import environment, steps

DIST = steps.ROOT / "dist"
PACKAGE = "azext_acrartifact"
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "HISTORY.rst")
EPOCH = "315532800"
"""1980-01-01, the first time that a zip entry can have, in seconds since 1970."""


def stage(folder: Path) -> None:
    """Copy what the distribution is made from into *folder*, with modes that no umask decides."""
    for name in SOURCES:
        shutil.copyfile(steps.ROOT / name, folder / name)
    shutil.copytree(
        steps.ROOT / PACKAGE, folder / PACKAGE, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("*.pyc")
    )
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def build(dist: Path = DIST) -> Path:
    """Build the wheel into *dist*, replacing older ones there; returns its path. Raises `steps.Failed`."""
    dist.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "source")
        folder.mkdir()
        stage(folder)
        built = _bdist_wheel(folder)
        for old in dist.glob("acrartifact-*.whl"):
            if old.name != built.name:
                old.unlink()
        # One rename, so that whoever looks meanwhile sees a whole wheel.
        partial = dist / f"{built.name}.{os.getpid()}"
        shutil.copyfile(built, partial)
        return partial.replace(dist / built.name)


def problems(wheel: Path) -> list[str]:
    """What is wrong with *wheel*: its name, its metadata, what it holds or lacks."""
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
    """`az extension add` of *wheel* without any package index, then its help; raises `steps.Failed`."""
    az = [sys.executable, "-m", "azure.cli"]
    variables = {**az_environment, "PIP_NO_INDEX": "1"}
    add = [*az, "extension", "add", "--source", str(wheel), "--yes"]
    steps.must("az extension add", add, variables)
    steps.must("az extension show", [*az, "extension", "show", "--name", "acrartifact", "--output", "table"], variables)
    steps.must("az acr artifact --help", [*az, "acr", "artifact", "--help"], variables)


def _bdist_wheel(folder: Path) -> Path:
    variables = {**environment.clean(), "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH)}
    argv = [sys.executable, "setup.py", "--quiet", "bdist_wheel"]
    done = subprocess.run(argv, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise steps.Failed(f"The wheel could not be built:\n{done.stdout}{done.stderr}", done.returncode)
    return next(folder.glob("dist/*.whl"))


def _content_problems(names: list[str], info: str) -> list[str]:
    foreign = [name for name in names if name.split("/")[0] not in (PACKAGE, info) or name.endswith(".pyc")]
    wanted = [f"{PACKAGE}/__init__.py", f"{PACKAGE}/azext_metadata.json", f"{PACKAGE}/py.typed"]
    sources = [path.relative_to(steps.ROOT).as_posix() for path in (steps.ROOT / PACKAGE).rglob("*.py")]
    return [f"holds {name}" for name in foreign] + [f"lacks {name}" for name in {*wanted, *sources} - set(names)]


def _metadata_problems(text: str) -> list[str]:
    metadata = Parser().parsestr(text)
    found = [f"METADATA has no {field}" for field in ("Version", "Summary", "License") if not metadata[field]]
    if metadata["Name"] != "acrartifact":
        found.append("METADATA names another distribution")
    if metadata["Requires-Python"] != ">=3.10":
        found.append("METADATA does not ask for Python >=3.10")
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    return found + [f"METADATA requires {line}" for line in required]


def main(_arguments: list[str]) -> int:
    """Build, check and install the wheel; prints its path. Returns 1 when something is wrong with it."""
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
