"""`dev.py index`: make the pull request for the index of Azure CLI's extensions, and check what can be checked here."""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from devtools import index_checks as checks
from devtools import index_tree, steps
from devtools import wheel as wheels

FOLDER = steps.ROOT / "build" / "index"


def remaining(owner: str, email: str, baseline: Path | None) -> Iterator[str]:
    """Yield what remains for a person before the pull request is merged."""
    if owner == index_tree.NO_OWNER:
        yield "name an account of GitHub that owns the extension: --owner @ACCOUNT"
    if email.endswith(".invalid"):
        yield "set author_email in setup.py to an address that somebody reads"
    yield "try the commands on a registry in Azure: python3 dev.py live SERVER"
    yield "write the tree into a clone (--into CLONE), open the pull request, sign the contributor license agreement"
    yield "leave src/index.json alone: after the merge, their pipeline builds the wheel and adds it"
    if baseline is None:
        yield f"keep {checks.META}: the next version is compared with it (--baseline)"
    yield "watch their CI: azdev's rules of medium severity need the network (links), and command_test_coverage,"
    yield "  missing_command_example and cal-next-version the history of their repository"


def requirements(baseline: Path | None, quick: bool) -> dict[str, Callable[[checks.Tree], None]]:
    """Return each requirement with its check; *quick* plans the tests and does not run them."""
    last = {
        "no breaking change": functools.partial(checks.changes, baseline=baseline),
        "tests": functools.partial(checks.tests, plan_only=quick),
    }
    return {**checks.CHECKS, **last}


def main(arguments: list[str]) -> int:
    """Make the tree, check it, and print each requirement with its outcome; return 1 if one is not met."""
    parsed = _parser().parse_args(arguments)
    steps.say("==> making the tree")
    made = parsed.folder.resolve()
    shutil.rmtree(made, ignore_errors=True)
    folder = index_tree.write(made, parsed.owner)
    wanted = requirements(parsed.baseline, parsed.quick)
    failed = _check(made, {name: wanted[name] for name in parsed.only or wanted})
    for line in remaining(parsed.owner, _email(folder), parsed.baseline):
        print(f"remains  {line}")
    if parsed.into and not failed:
        index_tree.write(parsed.into.resolve(), parsed.owner)
    print(parsed.into or made)
    return 1 if failed else 0


def _check(made: Path, wanted: dict[str, Callable[[checks.Tree], None]]) -> bool:
    """Run the checks on the tree *made*, print their outcomes, and return whether one failed."""
    failed = False
    with checks.prepared(made) as tree:
        for name, check in wanted.items():
            steps.say(f"==> {name}")
            unmet = checks.outcome(functools.partial(check, tree))
            failed = failed or bool(unmet)
            print(f"{'unmet' if unmet else 'pass':<8} {name}", flush=True)
            if unmet:
                steps.say(unmet)
        meta = tree.settings / checks.META
        if meta.exists():
            shutil.copyfile(meta, made / checks.META)
    return failed


def _email(folder: Path) -> str:
    """Return author_email of setup.py in *folder*."""
    text = (folder / "setup.py").read_text(encoding="utf-8")
    return text.partition('author_email="')[2].partition('"')[0]


def _parser() -> argparse.ArgumentParser:
    names = list(requirements(None, quick=False))
    parser = argparse.ArgumentParser(prog="dev.py index", description=f"Make {wheels.PACKAGE} ready for the index.")
    parser.add_argument("--owner", default=index_tree.NO_OWNER, help="the account in CODEOWNERS, such as @octocat")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="write the tree here (%(default)s)")
    parser.add_argument("--into", type=Path, metavar="CLONE", help="write the tree also here, if all checks pass")
    parser.add_argument("--baseline", type=Path, help=f"{checks.META} of the version before")
    parser.add_argument("--quick", action="store_true", help="plan the tests and do not run them")
    parser.add_argument("--only", action="append", metavar="CHECK", choices=names, help=", ".join(names))
    return parser


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
