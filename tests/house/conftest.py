"""Seeded sources: every rule must also find a fault in an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.source import Module, package

Seed = Callable[..., list[Module]]


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    """Return a function that writes a package and returns its modules."""

    def make(name: str, files: dict[str, str]) -> list[Module]:
        folder = tmp_path / name
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return package(folder)

    return make
