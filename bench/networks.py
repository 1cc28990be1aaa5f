"""The networks between client and registry: loopback, or two network namespaces with a relay between them.

The relay is a process that delays and shapes each packet (netem/main.go). It needs root, iproute2 and /dev/net/tun,
but none of the kernel's optional queueing disciplines.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.process import CommandFailed

SOURCE = Path(__file__).with_name("netem")
RECEIVE_BYTES, SEND_BYTES = "4096 131072 6291456", "4096 16384 4194304"
"""TCP's buffers: Linux's defaults (https://docs.kernel.org/networking/ip-sysctl.html), instead of this machine's."""


@dataclass(frozen=True)
class Network:
    """A network: *round_trip* in seconds, *rate* in bytes a second of one connection, 0 for no limit."""

    title: str
    round_trip: float = 0.0
    rate: int = 0

    @property
    def simulated(self) -> bool:
        """Whether it needs namespaces."""
        return self.round_trip > 0


LOOPBACK = Network("loopback")
NEAR = Network("2 ms, 200 MiB/s a connection", 0.002, 200 << 20)
"""A machine in the registry's region."""
FAR = Network("20 ms, 50 MiB/s a connection", 0.020, 50 << 20)


@dataclass(frozen=True)
class Ends:
    """The prefixes of commands at the client's end and at the registry's; *relay* is the relay's process id."""

    client: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    relay: int | None = None


def obstacle() -> str | None:
    """Return why no network can be simulated here, or None."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "needs root"
    if shutil.which("ip") is None:
        return "needs iproute2"
    if not os.access("/dev/net/tun", os.W_OK):
        return "needs /dev/net/tun"
    return None


@contextlib.contextmanager
def opened(network: Network, scratch: Path) -> Iterator[Ends]:
    """Set *network* up until the end of the block; raise `CommandFailed`."""
    if not network.simulated:
        yield Ends()
        return
    client, registry = f"bench{os.getpid()}c", f"bench{os.getpid()}r"
    with _namespace(client), _namespace(registry), _relay(network, scratch, client, registry) as relay:
        for name, host in ((client, 1), (registry, 2)):
            _configure(name, host)
        # The hosts keep loopback addresses, so the client's end gives up its own and routes theirs to the relay.
        _ip("-n", client, "address", "delete", "127.0.0.1/8", "dev", "lo")
        _ip("-n", client, "route", "add", "127.0.0.1/32", "dev", client, "src", "10.77.0.1")
        yield Ends(_inside(client), _inside(registry), relay)


def _inside(name: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", name)


@contextlib.contextmanager
def _namespace(name: str) -> Iterator[None]:
    _ip("netns", "add", name)
    try:
        yield
    finally:
        _ip("netns", "delete", name)


@contextlib.contextmanager
def _relay(network: Network, scratch: Path, *devices: str) -> Iterator[int]:
    """Run the relay between two devices, each moved into the namespace of its name; yield its process id."""
    program = scratch / "netem"
    if not program.exists():
        _run(["go", "build", "-C", str(SOURCE), "-o", str(program), "."])
    argv = [str(program), "-delay", f"{network.round_trip / 2}s", "-rate", str(network.rate), *devices]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout is None or process.stdout.readline() != b"ready\n":
            raise CommandFailed("Could not start the network's relay")
        for device in devices:
            _ip("link", "set", device, "netns", device)
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def _configure(name: str, host: int) -> None:
    settings = {
        "all.rp_filter": "0", f"{name}.rp_filter": "0", "all.route_localnet": "1", f"{name}.route_localnet": "1",
    }  # fmt: skip
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "set", name, "mtu", "1500", "txqueuelen", "10000", "up")
    _ip("-n", name, "address", "add", f"10.77.0.{host}/30", "dev", name)
    values = [f"net.ipv4.conf.{key}={value}" for key, value in settings.items()]
    buffers = [f"net.ipv4.tcp_rmem={RECEIVE_BYTES}", f"net.ipv4.tcp_wmem={SEND_BYTES}"]
    _run([*_inside(name), "sysctl", "-q", "-w", *values, *buffers])


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}")
