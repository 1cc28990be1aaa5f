"""A running local Azure, and an `az` that uses nothing else."""

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
"""The service principal of `acr_emulator.world.default_world` with all rights in `REGISTRY`."""


@dataclass(frozen=True)
class Session:
    """A local Azure and its `az`, with sign-in, settings and extensions in *folder*, apart from the user's own."""

    emulator: Emulator
    folder: Path
    variables: dict[str, str]

    def az(self, *arguments: str) -> list[str]:
        """Return the argument list that runs `az ARGUMENTS` from the virtual environment, on any platform."""
        return [sys.executable, "-m", "azure.cli", *arguments]


@contextmanager
def opened(folder: Path) -> Iterator[Session]:
    """Start the emulator with its state in *folder*, and stop it at the end; raise `steps.Failed` on failure."""
    with started(folder / "emulator") as emulator:
        yield Session(emulator, folder, variables(emulator, folder))


def started(state: Path) -> Emulator:
    """Start an emulator with its state in *state*; raise `steps.Failed` if it does not start."""
    try:
        return Emulator.start(state)
    except EmulatorError as error:
        raise steps.Failed(f"Could not start the local Azure: {error}") from error


def own_folders(folder: Path) -> dict[str, str]:
    """Return the variables that put az's extensions and docker's credentials in *folder*."""
    return {"AZURE_EXTENSION_DIR": str(folder / "extensions"), "DOCKER_CONFIG": str(folder / "docker")}


def variables(emulator: Emulator, folder: Path) -> dict[str, str]:
    """Return the environment of a process that uses *emulator* and no Azure, proxy or docker setting of the machine."""
    ours = {
        **own_folders(folder),
        "PATH": os.pathsep.join([str(venv.OURS.scripts), os.environ.get("PATH", "")]),
        "PYTHONUTF8": "1",
    }
    return {**environment.clean(), **emulator.environment(folder / "azure"), **ours}


def sign_in() -> tuple[str, ...]:
    """Return the command that signs `PRINCIPAL` in, without `az`: one line for the command and one for each option."""
    principal = world.default_world().principal(PRINCIPAL)
    if principal is None:
        raise steps.Failed(f"The emulator's world has no {PRINCIPAL}.")
    options = (
        f"--username {principal.client_id}",
        f"--password {principal.secrets[0]}",
        f"--tenant {principal.tenant_id}",
    )
    return ("login --service-principal", *options)
