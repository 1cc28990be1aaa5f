"""Records of what is read."""

from __future__ import annotations

import pytest

from azext_acrartifact.files.positioned_io import PositionedFile


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the lengths of all reads at an offset."""
    found: list[int] = []
    real = PositionedFile.read

    def noted(file: PositionedFile, buffer: memoryview, offset: int) -> int:
        if len(buffer) > 4:  # not the first bytes, by which programs are known on Windows
            found.append(len(buffer))
        return real(file, buffer, offset)

    monkeypatch.setattr(PositionedFile, "read", noted)
    return found
