"""`dev.py docs`: build the documentation site into dist/site; --check it in a browser; --picture: draw the README's.

The site needs no network, neither to be built nor to be read: open dist/site/index.html.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from devtools import environment, steps, wheel

SITE = steps.ROOT / "dist" / "site"
STAGED = steps.ROOT / ".cache" / "docs"
_REQUIREMENTS = steps.ROOT / "requirements"


def require(name: str) -> None:
    """Install what requirements/*name*.txt pins, unless it is installed; raise `steps.Failed` on failure."""
    file = _REQUIREMENTS / f"{name}.txt"
    pinned = [line.split("==") for line in file.read_text(encoding="utf-8").splitlines() if "==" in line]
    if all(_installed(project) == version for project, version in pinned):
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    steps.must(f"installing requirements/{name}.txt", [*pip, str(file)], environment.for_pip())


def commands() -> list[dict[str, Any]]:
    """Return the help of every command, as the installed wheel shows it; raise `steps.Failed` on failure."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "extensions", "acrartifact")
        zipfile.ZipFile(wheel.build(Path(temporary, "dist"))).extractall(folder)
        variables = {
            **environment.clean(), "AZURE_CONFIG_DIR": f"{temporary}/config", "AZURE_EXTENSION_DIR": str(folder.parent),
            "AZURE_CORE_COLLECT_TELEMETRY": "no", "PYTHONUTF8": "1",
        }  # fmt: skip
        argv = [sys.executable, "-m", "devtools.docs.help_texts"]
        done = subprocess.run(argv, cwd=steps.ROOT, env=variables, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise steps.Failed(f"Could not read the help of the commands:\n{done.stderr}", done.returncode)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def build() -> Path:
    """Build the site and return its folder; raise `steps.Failed` if a link or an anchor leads nowhere."""
    require("docs")
    from devtools.docs import pages

    shutil.rmtree(STAGED, ignore_errors=True)
    pages.stage(STAGED / "pages", commands())
    config = STAGED / "mkdocs.yml"
    config.write_text(pages.configuration(STAGED / "pages"), encoding="utf-8")
    argv = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean", "--config-file", str(config)]
    steps.must("building the site", argv, {**environment.clean(), "NO_MKDOCS_2_WARNING": "true"})
    return SITE


def _installed(project: str) -> str:
    try:
        return metadata.version(project)
    except metadata.PackageNotFoundError:
        return ""


def main(arguments: list[str]) -> int:
    """Build the site, or do what *arguments* ask for besides; return 1 if the check finds a problem."""
    parser = argparse.ArgumentParser(prog="dev.py docs", description="Build the documentation site into dist/site.")
    checks = "read it in chromium: links, search, menu; widths and axe-core of all pages or of those named"
    parser.add_argument("--check", nargs="*", metavar="PAGE", help=checks)
    parser.add_argument("--picture", action="store_true", help="only draw docs/terminal.svg, from a real run")
    chosen = parser.parse_args(arguments)
    if chosen.picture:
        from devtools.docs import picture

        print(picture.draw().relative_to(steps.ROOT))
        return 0
    print(build().relative_to(steps.ROOT) / "index.html")
    if chosen.check is None:
        return 0
    require("docs-check")
    from devtools.docs import check

    return check.run(SITE, chosen.check)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
