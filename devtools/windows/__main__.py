"""`dev.py windows [VERB]`: run the extension on Windows' own CPython, under Wine (Debian on x86_64)."""

from __future__ import annotations

import sys

from devtools import steps
from devtools.windows import digests, installation, python

USAGE = """\
usage: python3 dev.py windows [VERB] [ARGUMENT ...]   on Windows' own Python, under Wine

  imports      import every module of the extension
  demo         run `dev.py demo`
  digests      pack the same files here and there, and compare their digests
  unit         run tests/unit; arguments go to pytest
  functional   run tests/functional; arguments go to pytest
  python       run Python with the arguments

Without a verb: imports, demo, digests, and some of tests/unit that depend on the system."""

SYSTEM = (
    "auth/test_cache.py",
    "auth/test_credential_helper.py",
    "auth/test_docker_config.py",
    "auth/test_process_memory.py",
    "auth/test_token_wait.py",
    "cli",
    "files/archive/test_extract.py",
    "files/archive/test_pack.py",
    "files/archive/test_walk.py",
    "files/directory",
    "files/test_durable.py",
    "files/test_links.py",
    "files/test_local_file.py",
    "files/test_modes.py",
    "files/test_names.py",
    "files/test_os_errors.py",
    "files/test_positioned_io.py",
    "files/test_system_path.py",
    "files/writing",
    "layout/test_files.py",
    "layout/test_source.py",
    "operations/test_file_spec.py",
    "operations/test_inputs.py",
    "operations/test_pull.py",
    "signing/test_local_key.py",
    "signing/test_trust_policy.py",
)
"""The parts of tests/unit that depend on files, names, locks, paths, programs and the console."""

_IMPORTS = """
import importlib, pkgutil, sys, azext_acrartifact
names = [m.name for m in pkgutil.walk_packages(azext_acrartifact.__path__, "azext_acrartifact.")]
for name in names:
    importlib.import_module(name)
print(len(names), "modules imported by Python", sys.version)
"""
_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def main(arguments: list[str]) -> int:
    """Do what *arguments* say and return the worst exit code."""
    verb, *rest = arguments or [""]
    if verb and verb not in _VERBS:
        raise steps.Failed(USAGE, 2)
    installation.install()
    return _VERBS[verb](rest) if verb else _ci()


def _imports(_arguments: list[str]) -> int:
    return python.run(["-c", _IMPORTS])


def _demo(arguments: list[str]) -> int:
    return python.run(["-m", "devtools.demo", *arguments])


def _digests(_arguments: list[str]) -> int:
    return digests.compare(python.output)


def _unit(arguments: list[str]) -> int:
    return python.run([*_PYTEST, *(arguments or ["tests/unit"])])


def _functional(arguments: list[str]) -> int:
    return python.run([*_PYTEST, *(arguments or ["tests/functional"])])


def _ci() -> int:
    codes = {
        "imports": _imports([]),
        "demo": _demo([]),
        "digests": _digests([]),
        "unit": _unit(["-n", "2", *(f"tests/unit/{part}" for part in SYSTEM)]),
    }
    if failed := [name for name, code in codes.items() if code]:
        steps.say(f"failed on Windows' Python: {', '.join(failed)}")
    return max(codes.values())


_VERBS = {
    "imports": _imports,
    "demo": _demo,
    "digests": _digests,
    "unit": _unit,
    "functional": _functional,
    "python": python.run,
}

if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
