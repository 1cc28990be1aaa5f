"""The check `workflows` of `dev.py lint`: workflows and pipeline against their schemas, and workflows by actionlint.

They run on services that this machine does not have, so this is all that can be known here of their form. Both schemas
are part of check-jsonschema (https://check-jsonschema.readthedocs.io/en/stable/usage.html).
"""

from __future__ import annotations

import os
import shutil
import sys

from devtools import peers, steps

WORKFLOWS = sorted((steps.ROOT / ".github" / "workflows").glob("*.yml"))
PIPELINE = steps.ROOT / "azure-pipelines.yml"

ACTIONLINT = peers.Peer("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12")

_SCHEMAS = {
    "workflows": ["--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)],
    # Its patterns are no Unicode expressions.
    "pipeline": [
        *("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        *("--regex-variant", "nonunicode", str(PIPELINE)),
    ],
}


def check() -> int:
    """Check the files and return the worst exit code. Without Go, actionlint is left out, and named, unless in CI."""
    codes = [_schema(name, arguments) for name, arguments in _SCHEMAS.items()]
    if shutil.which("go") is None and not os.environ.get("CI"):
        steps.say("actionlint: not run, because it needs Go")
        return max(codes)
    program = str(peers.go_install(ACTIONLINT))
    # Two more checkers would run if they were on the PATH.
    return max(*codes, steps.run("actionlint", [program, "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS)]))


def _schema(name: str, arguments: list[str]) -> int:
    return steps.run(f"schema of the {name}", [sys.executable, "-m", "check_jsonschema", *arguments])
