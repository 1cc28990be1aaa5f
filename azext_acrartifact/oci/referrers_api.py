"""The responses to `GET /v2/NAME/referrers/DIGEST` by which a registry says that it has no such API.

Whoever takes another response for one of these leaves signatures and SBOMs behind without a word, and writes lists
under tags beside those of the registry. So each is named here with its reason, and all others are errors.
"""

from __future__ import annotations

import re

from ..transport.error_responses import UNSUPPORTED, Refusal

_OF_CONTENT = re.compile(r"(?:NAME|MANIFEST|TAG|BLOB|DIGEST)_[A-Z_]+")
"""Codes about a repository, a manifest or a tag (distribution specification, § Error Codes)."""
_MAY_PASS = re.compile(r"\bstatus code (?:401|403|408|429|5\d\d)\b")


def says_no_api(status: int, refusal: Refusal) -> bool:
    """Return whether an error response with *status* and *refusal* means that there is no referrers API."""
    if status == 404:
        # § Listing Referrers: a registry with the API responds 200 also without referrers, so 404 is the path's. CNCF
        # distribution sends "404 page not found". But a code about content comes from a registry that has the API, and
        # whose replica does not have the manifest yet; oras-go knows NAME_UNKNOWN as such
        # (https://github.com/oras-project/oras-go/blob/main/registry/remote/repository.go).
        return _OF_CONTENT.fullmatch(refusal.code) is None
    if status in (400, 405, 501):
        # § Error Codes: "The operation is unsupported". ACR has no referrers API with customer-managed keys
        # (https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact), and it is not
        # documented with which of these it says so. Without that code, 405 is ACR's status for a lock.
        return refusal.code == UNSUPPORTED
    if status == 424:
        # A cache rule passes the request on, and reports what the source responded: 303, 404 and the like from one
        # without the API (https://github.com/Azure/acr/issues/891). Its list under a tag can be pulled through the
        # cache. A source that is busy, broken or wants another sign-in has said nothing about its API.
        return _MAY_PASS.search(refusal.message) is None
    return False
