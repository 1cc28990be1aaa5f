"""Records of what is read."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the lengths of all reads at an offset."""
    found: list[int] = []
    real = os.preadv

    def noted(descriptor: int, buffers: list[memoryview], offset: int) -> int:
        found.append(sum(map(len, buffers)))
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", noted)
    return found
