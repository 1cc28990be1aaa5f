"""All cases, in the order of the table."""

from __future__ import annotations

from tests.hostile import (
    cases_archives,
    cases_azure,
    cases_copies,
    cases_disk,
    cases_identity,
    cases_lists,
    cases_manifests,
    cases_names,
    cases_parts,
    cases_push,
    cases_redirects,
    cases_sign_in,
    cases_signatures,
    cases_wire,
)
from tests.hostile.case import Case

KINDS: dict[str, list[Case]] = {
    "names that an artifact gives to its files": cases_names.CASES,
    "files that are already at the destination": cases_disk.CASES,
    "archives of folders": cases_archives.CASES,
    "manifests and indexes": cases_manifests.CASES,
    "files in parts": cases_parts.CASES,
    "response heads, bodies and delays": cases_wire.CASES,
    "redirects of downloads": cases_redirects.CASES,
    "sign-in: challenges, tokens, TLS": cases_sign_in.CASES,
    "identities: helpers, and sign-ins that fail": cases_identity.CASES,
    "Microsoft Entra ID and Azure Resource Manager": cases_azure.CASES,
    "signatures of artifacts": cases_signatures.CASES,
    "pushes": cases_push.CASES,
    "lists, properties and referrers": cases_lists.CASES,
    "backups, copies and purges": cases_copies.CASES,
}
CASES = [case for cases in KINDS.values() for case in cases]
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
        "delete-marked-tagged", "purge-untagged-marked-release", "push-forgets-416", "blob-creeps-pull",
        "blob-ranged-creeps-pull", "blob-changes-pull", "slow-manifest-blanks", "slow-manifest-interim",
        "tags-empty-pages", "tags-slow-new-pages", "helper-empty", "helper-dot", "tar-together", "tar-zstd-window-16",
        "index-heavy", "tar-empty-gzip", "tar-jumping", "titles-deep", "tags-most", "pull-type-long", "purge-tag-long",
        "list-tag-github", "repositories-name-pipeline", "entra-token-silence", "entra-token-fast",
        "entra-discovery-creeps", "environment-endless", "arm-list-endless", "arm-admin-fast", "arm-admin-redirect",
    }
)  # fmt: skip
"""Cases in which ours had a fault once."""
