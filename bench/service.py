"""The service to measure against: a registry shaped as Azure Container Registry is, or CNCF distribution alone."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence

from bench import nginx
from bench.accesslog import Traffic
from bench.nginx import Nginx
from bench.registry import Registry
from bench.setting import Setting

HOST = "127.0.0.1"
STORAGE_NAME = "localhost"
"""Another name of the same address, so that clients see another host. crane refuses a redirect to a private address."""


class Service:
    """A running service at *address*; *hosts* are its counted hosts by name."""

    def __init__(self, address: str, registry: Registry, hosts: Mapping[str, Nginx]) -> None:
        self.address = address
        self._registry = registry
        self._hosts = hosts
        self.pids = (registry.pid, *(host.pid for host in hosts.values()))

    def new_traffic(self) -> dict[str, Traffic]:
        """Count the traffic of each host since the last call; a service without counted hosts has none."""
        return {name: host.log.new() for name, host in self._hosts.items()}

    def wipe(self) -> None:
        """Drop all content."""
        self._registry.wipe()


@contextlib.contextmanager
def as_acr(setting: Setting, prefix: Sequence[str] = ()) -> Iterator[Service]:
    """Run the login server, the storage host and the registry behind them until the end of the block.

    *prefix* puts the two hosts at the other end of a network. The login server reaches the registry by a Unix socket,
    so that requests cross the network once.
    """
    folder = setting.scratch / "service"
    registry_at, storage_at = f"{HOST}:{_free_port()}", f"{HOST}:{_free_port()}"
    named = storage_at.replace(HOST, STORAGE_NAME)
    with contextlib.ExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        registry = Registry.on_socket(folder / "registry", folder / "socket", setting.variables)
        running.callback(registry.stop)
        configurations = {
            "registry": nginx.login_server(registry_at, folder / "socket", named),
            "storage": nginx.storage(storage_at, registry.data),
        }
        hosts: dict[str, Nginx] = {}
        for name, host in configurations.items():
            hosts[name] = Nginx.start(folder / name, host, setting.certificates, setting.variables, prefix)
            running.callback(hosts[name].stop)
        yield Service(registry_at, registry, hosts)


@contextlib.contextmanager
def plain(setting: Setting) -> Iterator[Service]:
    """Run CNCF distribution alone, on loopback, until the end of the block: with HTTP/2, and without redirects."""
    folder, address = setting.scratch / "plain", f"{HOST}:{_free_port()}"
    registry = Registry.over_tls(folder, address, setting.certificates, setting.variables)
    try:
        yield Service(address, registry, {})
    finally:
        registry.stop()


def _free_port() -> int:
    """Return a port that is free now; nginx cannot choose one."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
