"""A token endpoint, and credential helpers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact.auth.endpoint import TokenEndpoint
from tests.support.system import install_program
from tests.unit.auth.tokens import Issuer


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def endpoint(serve, http, issuer: Issuer) -> TokenEndpoint:
    return TokenEndpoint("myregistry.azurecr.io", serve(issuer, forever=True).url, http)


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that installs a credential helper, "s", which runs a Python script after it has read `text`.

    The function returns the file in which the helper records its input.
    """

    def install(script: str) -> Path:
        record = tmp_path / "record"
        note = f"open({str(record)!r}, 'a').write(sys.argv[1] + ' ' + text)"
        begin = f"import os, sys, time; text = sys.stdin.read(); {note}"
        install_program(tmp_path, "docker-credential-s", f"{begin}\n{script}\n")
        monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
        return record

    return install
