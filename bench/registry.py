"""CNCF distribution, as one process for all rounds on a network."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.certificates import Certificates
from bench.server import Server

PROGRAM = "registry"


class Registry:
    """A running registry with its content in *data*; `stop` ends it."""

    def __init__(self, folder: Path, http: dict[str, Any], variables: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        config = folder / "config.yml"
        config.write_text(json.dumps(_configuration(self.data, http)))  # JSON is YAML too
        # The registry reads every REGISTRY_… variable as a setting.
        quiet = {name: value for name, value in variables.items() if not name.startswith("REGISTRY_")}
        quiet |= {"OTEL_TRACES_EXPORTER": "none", "OTEL_TRACES_SAMPLER": "always_off"}
        argv = [PROGRAM, "serve", str(config)]
        self._server = Server.start(argv, quiet, folder / "log.txt", lambda: _accepts(http["addr"]))
        self.pid = self._server.pid

    @classmethod
    def on_socket(cls, folder: Path, path: Path, variables: Mapping[str, str]) -> Registry:
        """Start a registry in *folder* that serves plain HTTP on the Unix socket *path*."""
        return cls(folder, {"net": "unix", "addr": str(path), "relativeurls": True}, variables)

    @classmethod
    def over_tls(cls, folder: Path, address: str, certificates: Certificates, variables: Mapping[str, str]) -> Registry:
        """Start a registry in *folder* that serves HTTP/2 and HTTP/1.1 over TLS at *address*."""
        tls = {"certificate": str(certificates.server), "key": str(certificates.key)}
        return cls(folder, {"addr": address, "tls": tls}, variables)

    def wipe(self) -> None:
        """Drop all content. Blobs are stored by digest, so one client's push would find those of another."""
        shutil.rmtree(self.data, ignore_errors=True)

    def stop(self) -> None:
        """End the process and drop its content."""
        self._server.stop()
        self.wipe()


def _configuration(data: Path, http: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(data)}, "maintenance": {"uploadpurging": {"enabled": False}}},
        "http": http,
    }


def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    family, target = (socket.AF_INET, (host, int(port))) if port.isdigit() else (socket.AF_UNIX, address)
    with socket.socket(family) as probe:
        return probe.connect_ex(target) == 0
