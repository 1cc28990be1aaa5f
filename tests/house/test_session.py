"""A session on the local Azure writes only into its own folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from devtools import session


def test_nothing_of_the_user_is_read_or_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", "/the/users/own")
    emulator = SimpleNamespace(environment=lambda config: {"AZURE_CONFIG_DIR": str(config)})
    variables = session.variables(emulator, tmp_path)
    for name in ("AZURE_CONFIG_DIR", "AZURE_EXTENSION_DIR", "DOCKER_CONFIG"):
        assert Path(variables[name]).is_relative_to(tmp_path), name
