"""Run every block of the README and of docs/, in order, as their services run them."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import TENANT
from devtools import session
from tests.functional.az import Az
from tests.functional.origin import Origin
from tests.functional.test_auth_mode import PUSHER
from tests.functional.test_environment import issuer as issuer  # the fixture
from tests.functional.test_environment import pipeline
from tests.functional.test_environment import token as token  # the fixture
from tests.functional.test_sign import write_trust
from tests.support.documents import DOCUMENTS, Block, Reader, blocks, write_program
from tests.support.samples import write_samples

HERE = [path for path in DOCUMENTS if (named := {block.machine for block in blocks(path)}) and "oras" not in named]
"""The documents with blocks, without those that need oras: tests/interop/test_documents.py runs these."""

EXPIRED = json.dumps({"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."})


@pytest.fixture
def reader(installed: Az, sign_in: Callable[[str], Path], wheel: Path, tmp_path: Path, work: Path) -> Reader:
    """Return a reader at a terminal with the extension and a sign-in, and a copy of all that settings may change."""
    write_samples(work)
    shutil.copytree(sign_in("pusher"), tmp_path / "azure")
    shutil.copytree(installed.variables["AZURE_EXTENSION_DIR"], tmp_path / "extensions")
    login = " ".join(word for line in session.sign_in() for word in line.split())
    program = f'[ "$*" = login ] && set -- {login} --output none\nexec "{sys.executable}" -m azure.cli "$@"'
    programs = write_program(tmp_path / "bin", "az", program)
    write_program(programs, "python3", f'exec "{sys.executable}" "$@"')
    az = installed.using(
        work,
        config=tmp_path / "azure",
        AZURE_EXTENSION_DIR=str(tmp_path / "extensions"),
        PATH=f"{programs}:{installed.variables['PATH']}",
        HOME=str(tmp_path),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
        DOCKER_CONFIG=str(tmp_path / "docker"),
        PIP_NO_INDEX="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_FIND_LINKS=str(azure_identity(tmp_path)),
        WHEEL=str(wheel),
        REGISTRY="myregistry",
    )
    return Reader(work, az.variables, {"URL": str(wheel)})


def azure_identity(folder: Path) -> Path:
    """Make the wheel that pip would download from its installed files; return its folder."""
    found = metadata.distribution("azure-identity")
    name = folder / "wheels" / f"azure_identity-{found.version}-py3-none-any.whl"
    name.parent.mkdir()
    files = [
        path for path in found.files or () if path.suffix != ".pyc" and not path.name.startswith(("RECORD", "INST"))
    ]
    with zipfile.ZipFile(name, "w") as archive:
        lines = []
        for path in files:
            content = Path(str(path.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            archive.writestr(path.as_posix(), content)
            lines.append(f"{path.as_posix()},sha256={digest},{len(content)}")
        record = f"{next(path.parts[0] for path in files if '.dist-info' in path.parts[0])}/RECORD"
        archive.writestr(record, "\n".join([*lines, f"{record},,", ""]))
    return name.parent


class Machines:
    """Where a script may run: each returns the variables of its service. A block has a machine without a sign-in."""

    def __init__(self, emulator: Emulator, request: pytest.FixtureRequest, az: Az, folder: Path) -> None:
        self._emulator, self._request, self._az, self._folder = emulator, request, az, folder

    def variables(self, block: Block) -> dict[str, str]:
        """Prepare the machine of *block*, and return its variables."""
        if not block.machine:
            return {}
        # The first script of a document installs the extension, which takes pip seconds; the others find it installed.
        extensions = str(self._folder / "cliextensions")
        new = {"AZURE_CONFIG_DIR": str(self._folder / f"machine-{block.line}"), "AZURE_EXTENSION_DIR": extensions}
        prepare: Callable[[dict[str, str]], dict[str, str]] = getattr(
            self, block.machine.replace(" ", "_").replace(",", "")
        )
        return {**new, **prepare(new)}

    def new_machine(self, new: dict[str, str]) -> dict[str, str]:
        """Return nothing: a machine with Azure CLI alone."""
        return {}

    virtual_machine = new_machine

    def password(self, new: dict[str, str]) -> dict[str, str]:
        """Return a service principal's password."""
        return {"SP_APP_ID": PUSHER.client_id, "SP_PASSWORD": PUSHER.secrets[0]}

    def cloud_shell(self, new: dict[str, str]) -> dict[str, str]:
        """Return Cloud Shell's variables, with its sign-in."""
        variables = self._emulator.cloud_shell_environment()
        assert self._az.using(**new, **variables)("login", "--identity").code == 0
        return variables

    def app_service(self, new: dict[str, str]) -> dict[str, str]:
        """Return the variables of an identity in App Service."""
        return self._emulator.app_service_environment()

    def azure_pipelines(self, new: dict[str, str]) -> dict[str, str]:
        """Sign in as the task AzureCLI@2 does, and return its variables."""
        return self._federated(new, TF_BUILD="True", BUILD_BUILDID="41", **pipeline(self._fixture("issuer")))

    def azure_pipelines_later(self, new: dict[str, str]) -> dict[str, str]:
        """Return the same, ten minutes later: Entra does not accept the sign-in any more."""
        variables = self.azure_pipelines(new)
        self._emulator.fault(host="login.microsoftonline.com", path="/token", action="status", status=401, body=EXPIRED)
        return {**variables, "BUILD_BUILDID": "42"}

    def github_actions(self, new: dict[str, str]) -> dict[str, str]:
        """Sign in as azure/login does, and return the runner's variables."""
        return self._federated(new, GITHUB_ACTIONS="true", CI="true", GITHUB_RUN_ID="43", GITHUB_SHA="abc")

    def _federated(self, new: dict[str, str], **variables: str) -> dict[str, str]:
        who = ("--service-principal", "-u", PUSHER.client_id, "--tenant", TENANT, "--allow-no-subscriptions")
        done = self._az.using(**new, **variables)("login", *who, "--federated-token", self._fixture("token"))
        assert done.code == 0, done.stderr
        return variables

    def _fixture(self, name: str) -> str:
        value = self._request.getfixturevalue(name)
        assert isinstance(value, str)
        return value


@pytest.fixture
def machines(emulator: Emulator, request: pytest.FixtureRequest, signed_out: Az, tmp_path: Path) -> Machines:
    """Return the machines where blocks run, for this test."""
    return Machines(emulator, request, signed_out, tmp_path)


@pytest.mark.parametrize("document", HERE, ids=lambda path: path.stem)
def test_the_blocks_of_a_document_run(
    document: Path, reader: Reader, machines: Machines, emulator: Emulator, origin: Origin
) -> None:
    origin.push_files("models/small", {"model.bin": b"weights"})
    write_trust(reader.folder.parent, "myregistry.azurecr.io/samples/artifact:1.0")
    for block in blocks(document):
        if block.machine == "checkout":
            continue
        if block.machine == "azure itself":
            reader.parse(block)
        else:
            reader.follow(block, machines.variables(block))
        emulator.clear_faults()
