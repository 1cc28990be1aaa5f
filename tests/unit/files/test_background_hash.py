"""A hash in the background: every block counts, in order, with and without threads."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from azext_acrartifact.files.background_hash import BackgroundHash

BLOCKS = [bytes([number]) * (1 << 16) for number in range(50)]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_covers_all_blocks_in_order(algorithm: str) -> None:
    state = BackgroundHash(algorithm)
    for block in BLOCKS:
        state.update(block)
    assert state.digest() == f"{algorithm}:{hashlib.new(algorithm, b''.join(BLOCKS)).hexdigest()}"
    state.update(b"more")
    assert state.digest() == f"{algorithm}:{hashlib.new(algorithm, b''.join(BLOCKS) + b'more').hexdigest()}"
    assert BackgroundHash().digest() == f"sha256:{hashlib.sha256().hexdigest()}"


@pytest.mark.usefixtures("no_threads")
def test_without_threads_the_digest_is_the_same() -> None:
    state = BackgroundHash()
    for block in BLOCKS:
        state.update(block)
    assert state.digest() == f"sha256:{hashlib.sha256(b''.join(BLOCKS)).hexdigest()}"


def test_no_thread_outlives_its_block() -> None:
    before = threading.active_count()
    states = [BackgroundHash() for _ in range(20)]
    for state in states:
        state.update(BLOCKS[0])
    end = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before
    assert {state.digest() for state in states} == {f"sha256:{hashlib.sha256(BLOCKS[0]).hexdigest()}"}
