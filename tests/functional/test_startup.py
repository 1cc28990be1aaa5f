"""The cost of this extension for every `az` command, and the modules that its own commands load early."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.az import Az

DUMP = """
import atexit, json, os, sys
atexit.register(lambda: open(os.environ["LOADED_MODULES"], "w").write(json.dumps(sorted(sys.modules))))
"""
Loaded = Callable[..., set[str]]
HEAVY = ("requests", "urllib3", "msal", "msal_extensions", "azure.mgmt", "azure.identity", "azure.core", "asyncio")
NETWORK = ("http.client", "ssl")
ALLOWED = ("azext_acrartifact", "knack", "azure.cli.core")

COST = """
import time, azure.cli.core, azure.cli.core.commands, knack.help_files, knack.arguments
start = time.process_time()
import azext_acrartifact, azext_acrartifact.commands, azext_acrartifact._params
ours = time.process_time() - start
start = time.process_time()
import asyncio
print(ours, time.process_time() - start)
"""


def heavy_in(modules: set[str]) -> list[str]:
    """Return those of *modules* that load a network stack or a management client."""
    return sorted(name for name in modules if name.startswith(tuple(f"{heavy}." for heavy in HEAVY)) or name in HEAVY)


@pytest.fixture
def loaded(signed_out: Az, tmp_path: Path) -> Loaded:
    """Return a function that runs az and returns the modules loaded at its end."""
    (tmp_path / "sitecustomize.py").write_text(DUMP)
    listing = tmp_path / "modules.json"

    def modules_of(*arguments: str) -> set[str]:
        watched = signed_out.using(PYTHONPATH=str(tmp_path), LOADED_MODULES=str(listing))
        watched(*arguments)
        return set(json.loads(listing.read_text()))

    return modules_of


def test_help_loads_no_network(loaded: Loaded) -> None:
    version = loaded("version")
    core = loaded("acr", "repository", "show", "--help")
    for verb in ("push", "pull", "show", "delete"):
        ours = loaded("acr", "artifact", verb, "--help")
        assert "azext_acrartifact._params" in ours
        assert heavy_in(ours - core) == []
        assert not {name for name in ours if name.split(".")[0] in ("requests", "urllib3", "msal", "msal_extensions")}
        assert not {name for name in ours if name.startswith(("azure.mgmt", "azure.identity"))}
        assert not {name for name in NETWORK if name in ours} - version
        new = {name for name in ours - core - version if name.split(".")[0] not in sys.stdlib_module_names}
        assert {name for name in new if not name.startswith(ALLOWED)} == set()
        assert not {name for name in ours if name.startswith("azext_acrartifact.transport")}


SIGNING = ("cryptography", "azext_acrartifact.signing", "azext_acrartifact.operations.sign", "azure.keyvault")


def test_only_signing_and_verifying_load_what_they_need(loaded: Loaded) -> None:
    artifact = "unknown.azurecr.io/a:1"
    usual = loaded("acr", "repository", "show", "--name", "myregistry", "--image", "a:1")
    verbs = (("pull", artifact), ("push", artifact, "--empty"), ("copy", artifact, "--to", artifact), ("--help",))
    for words in verbs:
        ours = loaded("acr", "artifact", *words) - usual
        assert not {name for name in ours if name.startswith(SIGNING)}, words
    verify = loaded("acr", "artifact", "pull", artifact, "--verify", "--certificate-file", "none.pem")
    assert "azext_acrartifact.signing.certificates" in verify


def test_a_wrong_argument_loads_no_network_of_ours(loaded: Loaded) -> None:
    modules = loaded("acr", "artifact", "push", "--overwrite")
    assert heavy_in(modules - loaded("acr", "repository", "show", "--overwrite")) == []
    assert not {name for name in modules if name.startswith("azext_acrartifact.transport")}


def test_another_command_of_the_group_loads_only_our_face(loaded: Loaded) -> None:
    ours = {name for name in loaded("acr", "--help") if name.startswith("azext_acrartifact")}
    assert ours <= {f"azext_acrartifact{part}" for part in ("", "._help", ".commands", "._version")}


def test_our_face_loads_sooner_than_asyncio(signed_out: Az) -> None:
    """Compare it with a module that loads in 15 to 30 ms, depending on the machine."""
    extension = f"{signed_out.variables['AZURE_EXTENSION_DIR']}/acrartifact"
    environment = {**signed_out.variables, "PYTHONPATH": extension}
    costs = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", COST], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        costs.append([float(seconds) for seconds in done.stdout.split()])
    ours, others = map(min, zip(*costs, strict=True))
    assert ours < 0.9 * others, costs
