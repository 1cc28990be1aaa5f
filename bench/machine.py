"""A description of the machine, as far as it matters for the numbers, without names or paths."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from devtools import peers


def words(*, in_memory: bool) -> str:
    """Describe the machine in one paragraph."""
    storage = "in memory (tmpfs)" if in_memory else "on disk"
    versions = ", ".join(f"{_name(peer.program)} {peer.version.lstrip('v')}" for peer in peers.GO_PEERS)
    return (
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {_memory()}, "
        f"Python {platform.python_version()}; {versions}, nginx {_nginx()}; files and storage {storage}; "
        f"interleaved rounds. Simulated networks delay every packet between two network namespaces, "
        f"TCP by {_congestion()}."
    )


def _name(program: str) -> str:
    return "CNCF distribution" if program == "registry" else program


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return "memory unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"


def _congestion() -> str:
    setting = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    return setting.read_text().strip() if setting.exists() else "the system's own congestion control"


def _nginx() -> str:
    # "nginx version: nginx/1.22.1"
    done = subprocess.run(["nginx", "-v"], capture_output=True, text=True)
    return done.stderr.strip().rpartition("/")[2]
