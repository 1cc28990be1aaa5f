"""A digest that is made beside other work is that of the bytes, in their order."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from azext_acrartifact.files.beside import BesideHash

BLOCKS = [bytes([number]) * (1 << 16) for number in range(50)]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_is_that_of_all_blocks_in_order(algorithm: str) -> None:
    state = BesideHash(algorithm)
    for block in BLOCKS:
        state.update(block)
    assert state.digest() == f"{algorithm}:{hashlib.new(algorithm, b''.join(BLOCKS)).hexdigest()}"
    state.update(b"more")
    assert state.digest() == f"{algorithm}:{hashlib.new(algorithm, b''.join(BLOCKS) + b'more').hexdigest()}"
    assert BesideHash().digest() == f"sha256:{hashlib.sha256().hexdigest()}"


def test_a_system_without_threads_to_give_hashes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    state = BesideHash()
    for block in BLOCKS:
        state.update(block)
    assert state.digest() == f"sha256:{hashlib.sha256(b''.join(BLOCKS)).hexdigest()}"


def test_few_blocks_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = []
    submit = ThreadPoolExecutor.submit

    def watched(pool: ThreadPoolExecutor, *work: object) -> object:
        future = submit(pool, *work)  # type: ignore[arg-type]
        waiting.append(future)
        assert sum(not entry.done() for entry in waiting) <= 3
        return future

    monkeypatch.setattr(ThreadPoolExecutor, "submit", watched)
    state = BesideHash()
    for block in BLOCKS:
        state.update(block)
    assert len(waiting) == len(BLOCKS)
