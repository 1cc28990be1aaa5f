"""A local Azure that is up, with an `az` that knows nothing but it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acr_emulator import world
from acr_emulator.client import Emulator, EmulatorError
from devtools import environment, steps, venv

REGISTRY = "myregistry"
PRINCIPAL = "pusher"
"""The service principal of `acr_emulator.world.default_world` that may do everything in `REGISTRY`."""


@dataclass(frozen=True)
class Session:
    """*folder* holds everything that az keeps: sign-in, settings, extensions; the user's own are not touched."""

    emulator: Emulator
    folder: Path
    variables: dict[str, str]

    def az(self, *arguments: str) -> list[str]:
        """The argument list that runs `az ARGUMENTS` with the virtual environment's az, on any platform."""
        return [sys.executable, "-m", "azure.cli", *arguments]


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """Start the emulator with its state in *folder*, and stop it at the end; raises `steps.Failed`."""
    with started(folder / "emulator") as emulator:
        yield Session(emulator, folder, variables(emulator, folder))


def started(state: Path) -> Emulator:
    """An emulator that is up, with its state in *state*; raises `steps.Failed`."""
    try:
        return Emulator.start(state)
    except EmulatorError as error:
        raise steps.Failed(f"No local Azure: {error}") from error


def kept_in(folder: Path) -> dict[str, str]:
    """The variables that keep extensions and docker's credentials in *folder*."""
    return {"AZURE_EXTENSION_DIR": str(folder / "extensions"), "DOCKER_CONFIG": str(folder / "docker")}


def variables(emulator: Emulator, folder: Path) -> dict[str, str]:
    """The environment of a process that shall talk to *emulator*: nothing of the machine's own Azure, proxy or
    docker."""
    ours = {
        **kept_in(folder),
        "PATH": os.pathsep.join([str(venv.scripts()), os.environ.get("PATH", "")]),
        "PYTHONUTF8": "1",
    }
    return {**environment.clean(), **emulator.environment(folder / "azure"), **ours}


def sign_in() -> tuple[str, ...]:
    """The command that signs `PRINCIPAL` in, without its `az`: one line for the command and one for each option."""
    principal = world.default_world().principal(PRINCIPAL)
    if principal is None:
        raise steps.Failed(f"The emulator's world has no {PRINCIPAL}.")
    who = f"--username {principal.client_id}", f"--password {principal.secrets[0]}", f"--tenant {principal.tenant_id}"
    return ("login --service-principal", *who)
