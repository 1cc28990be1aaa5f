"""Run one command and report its time and memory: `python -I -S launch.py REPORT COMMAND...`.

This needs a small process of its own: a child's peak memory starts at that of the process that forked it
(setmax_mm_hiwater_rss in Linux's exec_mmap), so a large parent would be measured instead.
"""

import json
import os
import sys
import time


def main(report: str, argv: "list[str]") -> int:
    """Run *argv*, write wall and CPU seconds and the peak memory in bytes to *report*, and return the exit code."""
    start = time.monotonic()
    child = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, used = os.wait4(child, 0)
    wall = time.monotonic() - start
    usage = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * 1024}
    with open(report, "w", encoding="ascii") as file:
        json.dump(usage, file)
    return abs(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
