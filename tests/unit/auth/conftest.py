"""A token endpoint, and credential helpers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from azext_acrartifact.auth.endpoint import TokenEndpoint
from tests.unit.auth.tokens import Issuer


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def endpoint(serve, http, issuer: Issuer) -> TokenEndpoint:
    return TokenEndpoint("myregistry.azurecr.io", serve(issuer, forever=True).url, http)


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Yield a function that installs the credential helper "s" and returns the file that records its input."""

    def install(script: str) -> Path:
        program, record = tmp_path / "docker-credential-s", tmp_path / "record"
        program.write_text(f"#!/bin/sh\nprintf '%s ' \"$1\" >>'{record}'\ncat >>'{record}'\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return record

    return install
