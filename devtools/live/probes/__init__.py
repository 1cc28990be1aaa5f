"""What documents and known recordings leave open, as plain requests, in groups that can fail alone."""

from __future__ import annotations

from devtools.live.probes import blobs, chunks, imports, lists, locks, referrers, sign_in, uploads

GROUPS = (
    sign_in.sign_in,
    blobs.blobs,
    uploads.lost_responses,
    uploads.half_a_chunk,
    chunks.sizes_of_chunks,
    chunks.uploads_in_one_request,
    chunks.mounts,
    referrers.referrers,
    lists.empty_lists,
    lists.long_lists,
    locks.times_and_locks,
    locks.deletions,
    imports.failed_import,
)
"""The groups, in the order of the recording."""
