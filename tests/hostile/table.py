"""All cases, in the order of the table."""

from __future__ import annotations

from tests.hostile import (
    cases_archives,
    cases_copies,
    cases_disk,
    cases_lists,
    cases_manifests,
    cases_names,
    cases_push,
    cases_redirects,
    cases_sign_in,
    cases_wire,
)
from tests.hostile.case import Case

CASES: list[Case] = [
    *cases_names.CASES,
    *cases_disk.CASES,
    *cases_archives.CASES,
    *cases_manifests.CASES,
    *cases_wire.CASES,
    *cases_redirects.CASES,
    *cases_sign_in.CASES,
    *cases_push.CASES,
    *cases_lists.CASES,
    *cases_copies.CASES,
]
FOUND = frozenset(
    {
        "title-pipeline", "title-pipeline-section", "tar-bomb-hidden", "manifest-utf16", "blob-cut", "blob-stall",
        "blob-trickle", "blob-silence", "blob-chunk-trailers", "http-silence", "http-slow-head",
        "redirect-metadata-https", "redirect-loopback", "redirect-loopback-name", "redirect-loopback-ipv6",
        "redirect-private", "redirect-no-proxy", "redirect-no-proxy-name", "redirect-signed-json", "redirect-silence",
        "token-silence", "reflect-password", "reflect-token", "reflect-token-header", "reflect-token-digest",
        "refresh-reflected", "tls-none", "push-error-state", "push-hang", "push-manifest-hang", "push-begin-silence",
        "tags-endless", "tags-silence", "tags-size", "tags-dense", "tags-long", "referrers-endless", "referrers-wide",
        "repositories-bidi", "repositories-pipeline-line", "manifest-dense", "copy-mount-lie",
    }
)  # fmt: skip
"""Cases in which ours was wrong once."""
