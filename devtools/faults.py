"""`dev.py faults`: transfers under faults (killed, cut, slowed, lied to) and on a real terminal."""

from __future__ import annotations

import shutil
import sys

from devtools import environment, peers, pytests, steps, suite

PROMISED = {
    "ACRARTIFACT_KILL_MIB": "1024",
    "ACRARTIFACT_KILL_MOMENTS": "20",
    "ACRARTIFACT_KILLS": "100",
    "ACRARTIFACT_LOST_MIB": "160",
    "ACRARTIFACT_MEMORY_FULL": "1",
    "ACRARTIFACT_PARTS_MIB": "1024",
    "ACRARTIFACT_RENEWAL_SECONDS": "60",
}
"""The sizes and times that the documentation promises; CI uses smaller ones."""
_PROMISES = [
    *(
        f"tests/transfer_faults/test_{name}.py"
        for name in ("killed", "many_kills", "lost_responses", "memory", "copies", "parts")
    ),
    "tests/functional/test_renewal.py",
]


def main(arguments: list[str]) -> int:
    """Install what the tests need, run tests/transfer_faults and return pytest's exit code; *arguments* go to pytest.

    With `--full`, run only the tests of a promised size, at that size, which takes much longer."""
    programs = {
        "tmux": ["tmux"],
        "gcc": ["gcc", "libc6-dev"],
        "mount.exfat-fuse": ["exfat-fuse"],
        "mkfs.exfat": ["exfatprogs"],
    }
    for packages in (packages for program, packages in programs.items() if shutil.which(program) is None):
        peers.apt_install(packages)
    if not arguments:
        # Fewer than elsewhere, since these tests measure times.
        workers = suite.workers(suite.CORES + 1)
        return pytests.run("tests of faults", ["tests/transfer_faults"], environment.clean(), workers)
    chosen, sizes = arguments, {}
    if arguments == ["--full"]:
        chosen, sizes = [*_PROMISES, "--verbose"], PROMISED
    return steps.run("tests of faults", [sys.executable, "-m", "pytest", *chosen], {**environment.clean(), **sizes})


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
