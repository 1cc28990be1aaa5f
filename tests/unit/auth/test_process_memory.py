"""The memory of this process."""

from __future__ import annotations

from azext_acrartifact.auth.process_memory import process_memory

MIB = 1024 * 1024


def test_it_grows_with_what_is_used() -> None:
    before = process_memory()
    used = b"x" * (64 * MIB)
    assert before > MIB
    assert 60 * MIB <= process_memory() - before <= 128 * MIB
    assert len(used) == 64 * MIB
