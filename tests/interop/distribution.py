"""CNCF distribution, in the versions that people run, as a process on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.interop.certificates import Certificate

START_SECONDS = 20.0
PROGRAMS = {"distribution-3": "registry", "distribution-2": "docker-registry"}
"""Programs by kind: CNCF distribution's own, and Debian's."""

HTPASSWD = "interop-user:$2a$04$Q.XZHK2UG7M.H6pTslYbSu2t2nH7r35bHi8hABY8n.nDptvZDUaCK\n"
"""The password `interop-password`, by bcrypt, the only accepted hash."""

_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


class Distribution:
    """A registry at 127.0.0.1:*port*; ends with `stop`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    @classmethod
    def start(
        cls,
        program: str,
        folder: Path,
        variables: Mapping[str, str],
        *,
        tls: Certificate | None = None,
        auth: Mapping[str, Any] | None = None,
    ) -> Distribution:
        """Start a registry with its data in *folder*; *auth* is that section of its configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        config, log = folder / "config.yml", folder / "log.txt"
        config.write_text(json.dumps(_configuration(folder, tls, auth)))  # JSON is YAML too
        # It reads every REGISTRY_… variable as a setting, also skopeo's REGISTRY_AUTH_FILE.
        quiet = {name: value for name, value in variables.items() if not name.startswith("REGISTRY_")}
        quiet["OTEL_TRACES_EXPORTER"] = "none"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [program, "serve", str(config)], cwd=folder, env=quiet, stdout=output, stderr=subprocess.STDOUT
            )
        return cls(process, _port(process, log))

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def htpasswd(folder: Path) -> dict[str, Any]:
    """Return the `auth` section for Basic credentials."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "htpasswd"
    file.write_text(HTPASSWD)
    return {"htpasswd": {"realm": "interop", "path": str(file)}}


def token(realm: str, signer: Certificate) -> dict[str, Any]:
    """Return the `auth` section for tokens that *realm* issues and *signer* signs."""
    options = {"realm": realm, "service": "interop", "issuer": "interop", "rootcertbundle": str(signer.file)}
    return {"token": options}


def _configuration(folder: Path, tls: Certificate | None, auth: Mapping[str, Any] | None) -> dict[str, Any]:
    http: dict[str, Any] = {"addr": "127.0.0.1:0"}
    if tls is not None:
        http["tls"] = {"certificate": str(tls.file), "key": str(tls.key_file)}
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}}
    config = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": http}
    return {**config, "auth": dict(auth)} if auth else config


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while not (found := _LISTENING.search(log.read_text(errors="replace"))):
        up = process.poll() is None and time.monotonic() < end
        assert up, log.read_text(errors="replace")
        time.sleep(0.02)
    return int(found[1])
