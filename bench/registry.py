"""CNCF distribution over TLS, as one process for all rounds on a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.accesslog import AccessLog
from bench.certificates import Certificates

PROGRAM = "registry"
START_SECONDS = 20.0
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


class Registry:
    """A running registry at *address* with its *log*; `stop` ends it."""

    def __init__(self, process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
        self._process = process
        self._data = data
        self.address = f"127.0.0.1:{_port(process, log)}"
        self.log = AccessLog(log)
        self.pid = process.pid

    @classmethod
    def start(
        cls, folder: Path, certificates: Certificates, variables: Mapping[str, str], prefix: Sequence[str] = ()
    ) -> Registry:
        """Start a registry with its data in *folder*; *prefix* goes before the command."""
        folder.mkdir(parents=True, exist_ok=True)
        config, log, data = folder / "config.yml", folder / "log.txt", folder / "data"
        config.write_text(json.dumps(_configuration(data, certificates)))  # JSON is YAML too
        # The registry reads every REGISTRY_… variable as a setting.
        quiet = {name: value for name, value in variables.items() if not name.startswith("REGISTRY_")}
        quiet |= {"OTEL_TRACES_EXPORTER": "none", "OTEL_TRACES_SAMPLER": "always_off"}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [*prefix, PROGRAM, "serve", str(config)],
                cwd=folder, env=quiet, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return cls(process, data, log)

    def wipe(self) -> None:
        """Drop all content. Blobs are stored by digest, so one client's push would find those of another."""
        shutil.rmtree(self._data, ignore_errors=True)

    def stop(self) -> None:
        """End the process and drop its content."""
        self._process.kill()
        self._process.wait()
        self.wipe()


def _configuration(data: Path, certificates: Certificates) -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(data)}, "maintenance": {"uploadpurging": {"enabled": False}}},
        "http": {"addr": "127.0.0.1:0", "tls": {"certificate": str(certificates.server), "key": str(certificates.key)}},
    }


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while not (found := _LISTENING.search(log.read_text(errors="replace"))):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"could not start the registry:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    return int(found[1])
