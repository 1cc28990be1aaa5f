"""The progress that a transfer reports."""

from __future__ import annotations

from azext_acrartifact.transfer.progress import Progress
from tests.support.descriptors import empty_descriptor


def test_progress_that_nobody_draws_does_nothing() -> None:
    progress, blob = Progress(), empty_descriptor()
    progress.expect(1)
    progress.started(blob, "Uploading")
    progress.advanced(blob, 1)
    progress.finished(blob, "Uploaded")
    progress.note("x")
