"""What the repository of Azure CLI's extensions requires (`scripts/ci` there), checked on the tree that we made for it.

Each check runs what runs there, as far as that needs no network and no history of that repository.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import azdev, extension_index, index_tree, steps
from devtools import wheel as wheels

LONGEST_SUMMARY = 140
"""Characters (azure-cli, doc/extensions/extension_summary_guidelines.md, rule 2)."""
_ABOUT_THE_PRODUCT = re.compile(r"azure cli|command.line|extension", re.IGNORECASE)
"""Words that a summary avoids (rule 5 there)."""


class Unmet(Exception):
    """A requirement is not met; the text says what is wrong."""


@dataclass(frozen=True)
class Tree:
    """A copy of the tree in *root*, with azdev's *variables* and settings in *settings*."""

    root: Path
    settings: Path
    variables: dict[str, str]

    @property
    def folder(self) -> Path:
        """The folder of the extension."""
        return self.root / index_tree.EXTENSION

    @property
    def wheel(self) -> Path:
        """The wheel that `build` has made."""
        return next((self.settings / "dist").glob("*.whl"))

    def run(self, *argv: str, **more: str) -> str:
        """Run *argv* in the root, with *more* variables, and return what it prints; raise `Unmet` if it fails."""
        done = subprocess.run(
            argv, cwd=self.root, env={**self.variables, **more}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise Unmet(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def azdev(self, *arguments: str) -> str:
        """Run azdev with *arguments*; see `run`."""
        return self.run(azdev.program(), *arguments)

    def az(self, *arguments: str) -> str:
        """Run az with *arguments* on the installed wheel, without the tree and without a package index; see `run`."""
        az = [sys.executable, "-m", "azure.cli"]
        return self.run(*az, *arguments, AZURE_EXTENSION_DEV_SOURCES="", PIP_NO_INDEX="1")


@contextmanager
def prepared(made: Path) -> Iterator[Tree]:
    """Yield a copy of the tree *made*, ready for azdev; the copy takes the files that the checks leave behind."""
    with tempfile.TemporaryDirectory() as temporary:
        settings = Path(temporary).resolve()
        root = settings / "azure-cli-extensions"
        shutil.copytree(made, root)
        yield Tree(root, settings, azdev.configured(settings, root, root / index_tree.EXTENSION))


def license_headers(tree: Tree) -> None:
    """Require Microsoft's license header in each file."""
    tree.azdev("verify", "license")


def style(tree: Tree) -> None:
    """Require a clean pylint and flake8, with the settings for extensions."""
    tree.azdev("style", "acrartifact")


def linter(tree: Tree) -> None:
    """Require commands, arguments and help without a finding of high severity. Those of medium severity, which count
    there too, look up the links of the help in the network."""
    tree.azdev("linter", "acrartifact", "--rule-types", *azdev.RULE_TYPES, "--min-severity", "high")


def secrets(tree: Tree) -> None:
    """Require sources without a secret, except for the invented ones of the tests. azdev writes a report only if it
    finds one."""
    report, sources = tree.settings / "scan.json", tree.settings / "scanned"
    shutil.copytree(tree.folder / wheels.PACKAGE, sources, ignore=shutil.ignore_patterns("tests"))
    tree.azdev("scan", "--directory-path", str(sources), "--recursive", "--scan-result-path", str(report))
    if report.exists():
        raise Unmet(report.read_text(encoding="utf-8"))


def build(tree: Tree) -> None:
    """Require that azdev builds a wheel of the folder's name, pure, with our files and without the tests."""
    tree.azdev("extension", "build", "acrartifact", "--dist-dir", str(tree.settings / "dist"))
    if found := wheels.problems(tree.wheel):
        raise Unmet("\n".join(found))


def metadata(tree: Tree) -> None:
    """Require metadata as in the index: the folder's name, a summary, a license, and no required package."""
    from azdev.operations.extensions.util import get_ext_metadata  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as unpacked:
        found: dict[str, Any] = get_ext_metadata(unpacked, str(tree.wheel), "acrartifact")
    if found != extension_index.metadata(tree.wheel):
        raise Unmet(f"azdev reads other metadata: {json.dumps(found, indent=2)}")
    problems = [f"{name} is missing" for name in ("summary", "license", "classifiers", "version") if not found[name]]
    if found["name"] != tree.folder.name:
        problems.append(f"the name {found['name']} is not that of the folder")
    if found["run_requires"]:
        problems.append(f"it requires {found['run_requires']}")
    if ("b" in found["version"]) != bool(found.get("azext.isPreview")):
        problems.append("azext.isPreview does not agree with the version")
    if "azext.minCliCoreVersion" not in found:
        problems.append("azext.minCliCoreVersion is missing")
    _require(problems)


def summary(tree: Tree) -> None:
    """Require a summary of one short sentence that does not speak of the Azure CLI."""
    text = str(wheels.metadata(tree.wheel)["Summary"])
    problems = [] if text.endswith(".") else ["it is no sentence"]
    if len(text) > LONGEST_SUMMARY:
        problems.append(f"it has {len(text)} characters")
    if _ABOUT_THE_PRODUCT.search(text):
        problems.append("it names the Azure CLI or an extension")
    _require([f"{text!r}: {problem}" for problem in problems])


def history(tree: Tree) -> None:
    """Require a HISTORY.rst that docutils reads, and that begins with the version."""
    from docutils.core import publish_doctree  # type: ignore[import-untyped]

    text = (tree.folder / "HISTORY.rst").read_text(encoding="utf-8")
    publish_doctree(text, settings_overrides={"report_level": 2, "halt_level": 2})
    heading = next(iter(re.findall(r"^(\S+)\n\++$", text, re.MULTILINE)), "")
    if heading != wheels.metadata(tree.wheel)["Version"]:
        raise Unmet(f"it begins with {heading!r}")


def registered(tree: Tree) -> None:
    """Require an owner of the folder, and a service name for the first word of the commands."""
    owners = (tree.root / index_tree.CODEOWNERS).read_text(encoding="utf-8").split()
    services = json.loads((tree.root / index_tree.SERVICE_NAMES).read_text(encoding="utf-8"))
    problems = [] if f"/{index_tree.EXTENSION.as_posix()}/" in owners else ["CODEOWNERS has no line of ours"]
    if index_tree.SERVICE["Command"] not in [service["Command"] for service in services]:
        problems.append("service_name.json has no az acr")
    _require(problems)


def added(tree: Tree) -> None:
    """Require that `az extension add` takes the wheel without a package index, and that it is gone after `remove`."""
    tree.az("extension", "add", "--source", str(tree.wheel), "--yes")
    tree.az("acr", "artifact", "push", "--help")
    tree.az("extension", "remove", "--name", "acrartifact")


def changes(tree: Tree, baseline: Path | None) -> None:
    """Require no breaking change of a command since *baseline*, `META` of an older version; without one, that azdev
    exports our commands and finds no change between them and themselves."""
    tree.azdev("command-change", "meta-export", "acrartifact", "--meta-output-path", str(tree.settings))
    now = tree.settings / META
    names = ["--base-meta-file", str(baseline or now), "--diff-meta-file", str(now), "--only-break"]
    tree.azdev("command-change", "meta-diff", *names, "--output-file", str(tree.settings / "diff.json"))
    diff = tree.settings / "diff.json"
    if diff.exists() and (found := diff.read_text(encoding="utf-8").strip()) not in ("", "[]", "{}"):
        raise Unmet(found)


META = "az_acrartifact_meta.json"
"""The file with the commands and arguments of the version, as azdev names it."""


def tests(tree: Tree, *, plan_only: bool) -> None:
    """Require that the tests pass in the tree, where there is no emulator; *plan_only*: that their imports and fixtures
    are complete."""
    folder = tree.folder.joinpath(*index_tree.TESTS.split("."))
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:warnings", "-p", "no:cacheprovider"]
    how = ["--setup-plan"] if plan_only else ["-n", "auto", "--timeout", "180"]
    tree.run(*pytest, *how, "--rootdir", str(tree.folder), str(folder), PYTHONPATH=str(tree.folder))


CHECKS: dict[str, Callable[[Tree], None]] = {
    "license header in each file": license_headers,
    "style": style,
    "linter": linter,
    "no secret": secrets,
    "wheel": build,
    "metadata": metadata,
    "summary": summary,
    "history": history,
    "owner and service name": registered,
    "az extension add and remove": added,
}
"""Each requirement and its check; `wheel` comes before those that read it."""


def _require(problems: list[str]) -> None:
    if problems:
        raise Unmet("\n".join(problems))


def outcome(check: Callable[[], None]) -> str:
    """Run *check* and return what is unmet, or an empty text."""
    try:
        check()
    except (Unmet, steps.Failed) as unmet:
        return str(unmet)
    return ""
