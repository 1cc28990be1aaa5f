"""`dev.py hostile`: the installed extension against a hostile registry; with --table, other tools as well."""

from __future__ import annotations

import os
import sys

from devtools import environment, peers, pytests, steps

TABLE = "--table"
SOME = "--some"


def main(arguments: list[str]) -> int:
    """Run every case, or with `--some` every fourth, and return pytest's exit code; *arguments* go to pytest.

    With `--table`, run every case with the peers too, and write docs/security-cases.md and dist/security-cases.md.
    """
    if TABLE in arguments:
        peers.install()
        rest = [argument for argument in arguments if argument != TABLE]
        return steps.call([sys.executable, "-m", "tests.hostile", *rest], {**os.environ, "PATH": peers.path()})
    chosen = [argument for argument in arguments if argument != SOME] or ["tests/hostile"]
    variables = {**environment.clean(), "HOSTILE": "some" if SOME in arguments else "all"}
    return pytests.run("hostile cases", chosen, variables)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
