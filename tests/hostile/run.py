"""Run cases, several at a time: each with its own network, folders and process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools import environment, peers
from tests.hostile.authority import Authority
from tests.hostile.case import Case
from tests.hostile.clients import CLIENTS
from tests.hostile.judge import Judged, Scene, judge
from tests.hostile.playground import Playground
from tests.hostile.process import watch
from tests.hostile.site import TAG
from tests.hostile.wire import Wire

LIMIT = 20.0
"""Seconds until a command counts as hanging."""
AT_ONCE = 5
"""Cases that run at the same time; most of them wait."""


@dataclass(frozen=True)
class Stage:
    """What all cases share: certificates, and an `az` with the wheel installed."""

    folder: Path
    authority: Authority
    limit: float = LIMIT

    @classmethod
    def make(cls, folder: Path, wheel: Path, limit: float = LIMIT) -> Stage:
        """Install *wheel*; all files are below *folder*."""
        (folder / "azure").mkdir()
        (folder / "cases").mkdir()
        stage = cls(folder, Authority.make(folder), limit)
        az = [sys.executable, "-m", "azure.cli"]
        for argv in (["extension", "add", "--source", str(wheel), "--yes"], ["acr", "artifact", "--help"]):
            variables = stage.variables(folder / "azure", "")
            subprocess.run([*az, *argv, "--only-show-errors"], env=variables, capture_output=True, check=True)
        return stage

    def variables(self, config: Path, proxy: str) -> dict[str, str]:
        """Return the environment of a client that knows nothing of this machine."""
        proxies = {name: proxy for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy") if proxy}
        return {
            **environment.clean(),
            **proxies,
            "AZURE_CONFIG_DIR": str(config),
            "AZURE_EXTENSION_DIR": str(self.folder / "extensions"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_LOGGING_ENABLE_LOG_FILE": "yes",
            "REQUESTS_CA_BUNDLE": str(self.authority.bundle),
            "SSL_CERT_FILE": str(self.authority.bundle),
            "PYTHONUTF8": "1",
            "NO_COLOR": "1",
            "PATH": peers.path(),
        }


def play(stage: Stage, case: Case, client: str = "ours", debug: bool = False) -> Judged | None:
    """Return the verdict on *case* with *client*; None if the client has no such command."""
    folder = Path(tempfile.mkdtemp(prefix="case-", dir=stage.folder / "cases"))
    ground = Playground.make(folder)
    site = case.site()
    launch = CLIENTS[client](case, site.digest if TAG in site.manifests else "", folder, debug)
    if launch is None:
        ground.remove()
        return None
    shutil.copytree(stage.folder / "azure", folder / "config", dirs_exist_ok=True)
    case.before(folder)
    ground.remember()
    wire = Wire(site, lambda host: stage.authority.contexts.get(site.certificates.get(host, "good")))
    proxy = wire.proxy.replace("http://", "http://proxy:proxy-secret-0123456789@")
    own = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "DOCKER_CONFIG": str(folder / "config" / "docker"),
    }
    try:
        variables = {**stage.variables(folder / "config", proxy), **own, **launch.variables, **case.variables}
        ended = watch(launch.argv, launch.stdin, folder, variables, stage.limit)
    finally:
        wire.close()
    scene = Scene(case, client, site, ground, ended, list(wire.requests), wire.reached, _logs(folder / "config"), debug)
    try:
        return judge(scene)
    finally:
        if not os.environ.get("HOSTILE_KEEP"):
            ground.remove()


def _logs(config: Path) -> str:
    files = [*config.glob("logs/*"), *config.glob("commands/*")]
    return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())


def play_all(
    stage: Stage, cases: Iterable[Case], client: str = "ours", debug: bool = False, at_once: int = AT_ONCE
) -> Iterator[tuple[Case, Judged | None]]:
    """Yield every case's verdict, in the order of the table. A case that hangs is repeated alone at the end: the others
    may have kept the machine busy."""

    def one(case: Case) -> tuple[Case, Judged | None]:
        return case, play(stage, case, client, debug)

    hung = []
    with ThreadPoolExecutor(at_once) as pool:
        for case, judged in pool.map(one, cases):
            if judged and judged.verdict == "HANG":
                hung.append(case)
            else:
                yield case, judged
    yield from map(one, hung)
