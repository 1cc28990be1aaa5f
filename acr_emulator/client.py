"""Start and control the emulator in a process of its own: for tests, benchmarks and the demo."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from acr_emulator.environment import app_service_environment, cloud_shell_environment, proxy_environment
from acr_emulator.front.log import LogEntry

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parent.parent


class EmulatorError(Exception):
    """The emulator did not start, or refused a request."""


class Emulator:
    """A running emulator. `Emulator.start()` makes one; as a context manager it stops at the end of the block."""

    def __init__(self, process: subprocess.Popen[bytes], state: Path, port: int, *, owns_state: bool) -> None:
        self._process = process
        self._owns_state = owns_state
        self.state = state
        self.port = port
        self.proxy_url = f"http://127.0.0.1:{port}"
        self.ca_file = state / "ca.pem"

    @classmethod
    def start(
        cls,
        state: Path | None = None,
        *,
        port: int = 0,
        lifetimes: dict[str, float] | None = None,
        limits: dict[str, int] | None = None,
    ) -> Emulator:
        """Start an emulator on 127.0.0.1:*port* (0: any); without *state*, in a temporary folder that `stop` removes.
        Raise `EmulatorError` with the child's output if it does not start within 30 seconds."""
        folder = Path(tempfile.mkdtemp(prefix="acr-emulator-")) if state is None else state
        folder.mkdir(parents=True, exist_ok=True)
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "acr_emulator", "--state", str(folder), "--ready-file", str(ready)]
        command += ["--port", str(port), "--until-stdin-closes"]
        command += [f"--lifetime={name}={value}" for name, value in (lifetimes or {}).items()]
        command += [f"--limit={name}={value}" for name, value in (limits or {}).items()]
        with open(folder / "emulator.log", "wb") as output:
            process = subprocess.Popen(
                command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=output
            )
        try:
            _wait_until_ready(process, ready, folder / "emulator.log")
        except EmulatorError:
            _end(process)
            raise
        return cls(process, folder, int(json.loads(ready.read_text())["port"]), owns_state=state is None)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The emulator's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the process (SIGTERM, then by force) and remove a temporary state folder."""
        _end(self._process)
        if self._owns_state:
            shutil.rmtree(self.state, ignore_errors=True)

    def environment(self, config_dir: Path | None = None) -> dict[str, str]:
        """Return the variables of a client; *config_dir* is its `AZURE_CONFIG_DIR` (default: in the state folder)."""
        return proxy_environment(self.port, self.ca_file, config_dir or self.state / "azure")

    def app_service_environment(self) -> dict[str, str]:
        """Return more variables for a client: a managed identity as in App Service."""
        return app_service_environment(self.port)

    def cloud_shell_environment(self) -> dict[str, str]:
        """Return more variables for a client: the Azure CLI then assumes Cloud Shell."""
        return cloud_shell_environment()

    def log(self, since: int = 0) -> list[LogEntry]:
        """Return the requests that have ended and have an id above *since*, oldest first."""
        return [LogEntry(**entry) for entry in self._call("GET", f"log?since={since}")]

    def last_id(self) -> int:
        """Return the id of the last request in the log, or 0."""
        return max((entry.id for entry in self.log()), default=0)

    def clear_log(self) -> None:
        """Clear the log."""
        self._call("DELETE", "log")

    def fault(self, **rule: Any) -> str:
        """Add a fault rule (README.md lists the fields) and return its id. *raw* may be bytes."""
        if isinstance(rule.get("raw"), bytes):
            rule["raw"] = rule["raw"].decode("latin-1")
        return str(self._call("POST", "faults", rule)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the active rules, with their counts `matched` and `applied`."""
        return list(self._call("GET", "faults"))

    def clear_faults(self) -> None:
        """Remove every rule."""
        self._call("DELETE", "faults")

    def set(self, **settings: Any) -> None:
        """Change settings: `set(lifetimes={"acr_access": 2}, registries={"myregistry": {"sku": "Basic"}})`."""
        self._call("PATCH", "settings", settings)

    def reset(self) -> None:
        """Restore the settings, remove all faults and clear the log; the registries' content stays."""
        self._call("POST", "reset")

    def world(self) -> dict[str, Any]:
        """Return everything that exists in the local Azure, secrets included."""
        return dict(self._call("GET", "world"))

    def federated_token(self, subject: str, lifetime: int = 600) -> str:
        """Return a token of another issuer, for `az login --federated-token`; *lifetime* in seconds."""
        query = urlencode({"subject": subject, "lifetime": lifetime})
        return str(self._call("GET", f"federated-token?{query}")["token"])

    def _call(self, method: str, name: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, f"/_emulator/{name}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise EmulatorError(f"{method} {name}: {response.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else None


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, output: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise EmulatorError(f"the emulator did not start: {output.read_text(errors='replace')}")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
