"""`dev.py release`: make dist/, with the wheel, its digest, an index for `az extension add --name`, notes and an SBOM.

The same sources give the same bytes, on any system; SOURCE_DATE_EPOCH sets their time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from devtools import extension_index, sbom, steps
from devtools import wheel as wheels

LOOPBACK = "http://127.0.0.1:8000"
"""Where `python3 -m http.server --directory dist` serves the files, for a trial without a web server."""


def notes(history: str, version: str) -> str:
    """Return the first entry of *history*, the text of HISTORY.rst, in Markdown; raise `steps.Failed` if it is not the
    one of *version*."""
    headings = list(re.finditer(r"^(\S+)\n\++\n", history, re.MULTILINE))
    if not headings or headings[0][1] != version:
        raise steps.Failed(f"HISTORY.rst does not begin with {version}, the version in _version.py.")
    end = headings[1].start() if len(headings) > 1 else len(history)
    text = history[headings[0].end() : end].strip()
    text = re.sub(r"`([^`<]+) <([^>`]+)>`_", r"[\1](\2)", text)
    return f"# acrartifact {version}\n\n{text.replace('``', '`')}\n"


def make(dist: Path, url: str) -> list[Path]:
    """Write the files of a release into *dist*, remove those of older ones, and return their paths; *url* is the folder
    that they will be downloaded from. Raise `steps.Failed` if the wheel has a problem."""
    wheel = wheels.build(dist)
    if found := wheels.problems(wheel):
        raise steps.Failed("\n".join(f"{wheel.name}: {problem}" for problem in found))
    version = wheels.metadata(wheel)["Version"]
    history = (steps.ROOT / "HISTORY.rst").read_text(encoding="utf-8")
    texts = {
        f"{wheel.name}.sha256": f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n",
        "index.json": _json(extension_index.document(wheel, url)),
        "release-notes.md": notes(history, version),
        f"acrartifact-{version}.spdx.json": _json(sbom.document(wheel)),
    }
    for old in dist.glob("acrartifact-*"):
        if old.name not in (wheel.name, *texts):
            old.unlink()
    for name, text in texts.items():
        (dist / name).write_text(text, encoding="utf-8", newline="\n")
    return [wheel, *(dist / name for name in texts)]


def main(arguments: list[str]) -> int:
    """Make the files, print their paths, and say how to try them."""
    parser = argparse.ArgumentParser(prog="dev.py release", description="Make the files of a release in dist/.")
    parser.add_argument("--url", default=LOOPBACK, help="the folder from which they will be downloaded (%(default)s)")
    parser.add_argument("--dist", type=Path, default=wheels.DIST, help="write to this folder")
    parser.add_argument("--tag", help="fail unless it is `v` and the version")
    parsed = parser.parse_args(arguments)
    if parsed.tag and parsed.tag != f"v{wheels.version()}":
        raise steps.Failed(f"The tag {parsed.tag} is not v{wheels.version()}, the version in _version.py.")
    for path in make(parsed.dist.resolve(), parsed.url):
        print(path)
    if parsed.url == LOOPBACK:
        steps.say(f"Serve them for a trial: python3 -m http.server --bind 127.0.0.1 --directory {parsed.dist}")
    steps.say(f"Set AZURE_EXTENSION_INDEX_URL={parsed.url.rstrip('/')}/index.json, and:")
    steps.say("az extension add --name acrartifact --yes")
    return 0


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
