"""`dev.py mutate`: remove the checks one by one, and see a test fail for each.

Works on a copy of the checkout. A mutant that survives is printed: it needs a test, or it is equivalent
(`docs/mutation.md`).
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import environment, steps
from devtools.mutants import Mutant, mutants_of

PACKAGE = "azext_acrartifact"
GUARDS = (
    *(f"oci/{name}.py" for name in ("reference", "digest", "manifest", "descriptor", "index", "pages", "parts")),
    *(f"files/{name}.py" for name in ("names", "links", "writing/merge", "writing/destination", "writing/temp_file")),
    *(f"files/archive/{name}.py" for name in ("tar_format", "tar_reader", "tar_index", "decompress", "extract")),
    *(f"layout/{name}.py" for name in ("index", "files", "source", "tar_store", "target")),
    *(
        f"transport/{name}.py"
        for name in ("redirects", "redaction", "scheme", "error_responses", "http_response", "connection")
    ),
    *("auth/challenge.py", "auth/endpoint.py", "auth/resource_manager.py", "auth/token_wait.py"),
    *("text.py", "operations/pull_plan.py"),
    *("transfer/budget.py", "files/archive/budget.py", "files/writing/closed_folders.py", "transport/addresses.py"),
    *("known_secrets.py", "linear_match.py", "operations/tag_pattern.py", "cli/import_path.py"),
)
"""The modules, below the package, that refuse bad input."""

FIRST = {
    "layout/index.py": ["layout/test_index.py", "layout/test_files.py"],
    "oci/descriptor.py": ["oci/test_descriptor.py", "oci/test_manifest.py"],
    "files/archive/decompress.py": ["files/archive/test_decompress.py", "files/archive/test_extract.py"],
    "files/writing/merge.py": ["files/writing/test_merge.py", "files/archive/test_extract.py"],
    "files/writing/temp_file.py": [
        f"files/writing/test_{name}.py" for name in ("temp_file", "folder_tree", "resumable_file", "resume_note")
    ],
    "files/writing/destination.py": [
        f"files/writing/test_{name}.py"
        for name in ("destination", "temp_file", "folder_tree", "resumable_file", "resume_note")
    ],
    "layout/files.py": ["layout/test_files.py", "layout/test_store.py", "operations/test_backup.py"],
    "layout/source.py": ["layout/test_source.py", "layout/test_files.py", "operations/test_backup.py"],
    "files/archive/tar_index.py": ["layout/test_files.py"],
    "layout/tar_store.py": [
        *(f"layout/test_{name}.py" for name in ("tar_store", "store", "files")),
        "operations/test_backup.py",
    ],
    "layout/target.py": ["layout/test_target.py", "operations/test_backup.py"],
    "files/archive/tar_format.py": ["files/archive/test_extract.py"],
    "files/archive/tar_reader.py": ["files/archive/test_tar_reader.py", "files/archive/test_extract.py"],
    "transport/http_response.py": ["transport/test_http_response.py", "transport/test_pool.py"],
    "transport/redirects.py": ["transport/test_redirects.py", "transport/test_client.py"],
    "transport/connection.py": [
        "transport/test_connection.py",
        "transport/test_connection_stall.py",
        "transport/test_network.py",
    ],
    "transfer/budget.py": ["transfer/test_budget.py", "transfer/test_upload.py", "transfer/test_download.py"],
    "linear_match.py": ["test_linear_match.py", "files/test_globs.py", "operations/test_tag_pattern.py"],
}
"""Tests, below tests/unit, to run before those of the same folder; by default those of the same name."""

SLOWEST = 120.0
"""Seconds after which a mutant's tests are killed: it hangs, which counts as noticed."""


@dataclass
class Tally:
    """The results of one module's mutants."""

    killed: int
    survivors: list[Mutant]


def main(arguments: list[str]) -> int:
    """Try all mutants of the modules in *arguments*, by default `GUARDS`; return 1 if one survives."""
    parser = argparse.ArgumentParser(prog="dev.py mutate", description=__doc__)
    parser.add_argument("files", nargs="*", help=f"modules below {PACKAGE}, such as oci/digest.py")
    parser.add_argument("--line", type=int, help="only mutants of this line")
    parser.add_argument("--own", action="store_true", help="run only the tests of the module itself: much quicker")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        checkout = _copied(Path(temporary))
        tallies = {name: _tried(checkout, name, options.line, options.own) for name in options.files or GUARDS}
    survivors = sum(len(tally.survivors) for tally in tallies.values())
    for name, tally in tallies.items():
        print(f"{name}: {tally.killed + len(tally.survivors)} mutants, {len(tally.survivors)} survive", flush=True)
    return 1 if survivors else 0


def _copied(folder: Path) -> Path:
    """Copy the files that git tracks or would add to *folder*, and compile them."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(argv, cwd=steps.ROOT, text=True)
    for name in listed.splitlines():
        if (steps.ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(steps.ROOT / name, folder / name)
    compileall.compile_dir(folder, quiet=2)
    return folder


def _tried(checkout: Path, name: str, line: int | None, own: bool) -> Tally:
    module = checkout / PACKAGE / name
    source = module.read_text(encoding="utf-8")
    tests = _tests_of(checkout, name, own)
    if _fails(checkout, tests):
        raise steps.Failed(f"The tests of {name} fail without any mutant: {' '.join(tests)}")
    tally, mutants = Tally(0, []), [m for m in mutants_of(source) if line in (None, m.line)]
    start = time.monotonic()
    for mutant in mutants:
        module.write_text(mutant.text, encoding="utf-8")
        for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc"):
            compiled.unlink()
        if _fails(checkout, tests):
            tally.killed += 1
            continue
        tally.survivors.append(mutant)
        print(f"{name}:{mutant.line}: survives: {mutant.what}", flush=True)
    module.write_text(source, encoding="utf-8")
    steps.say(f"{name}: {tally.killed} of {len(mutants)} killed, {time.monotonic() - start:.0f} s")
    return tally


def _tests_of(checkout: Path, name: str, only_own: bool) -> list[str]:
    """Return the tests of the module *name*, then, unless *only_own*, those of its folder."""
    folder = name.rpartition("/")[0]
    unit = checkout / "tests" / "unit"
    own = FIRST.get(name, [f"{folder}/test_{Path(name).stem}.py".lstrip("/")])
    first = [f"tests/unit/{test}" for test in own if (unit / test).exists()]
    rest = sorted((unit / folder).glob("test_*.py")) if folder and not only_own else []
    return first + [found for test in rest if (found := test.relative_to(checkout).as_posix()) not in first]


def _fails(checkout: Path, tests: Sequence[str]) -> bool:
    """Return whether one of *tests* fails or hangs."""
    variables = {**environment.clean(), "PYTHONDONTWRITEBYTECODE": "1"}
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    null = subprocess.DEVNULL
    process = subprocess.Popen(pytest, cwd=checkout, env=variables, stdout=null, stderr=null, start_new_session=True)
    try:
        return process.wait(SLOWEST) != 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
