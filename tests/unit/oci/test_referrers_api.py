"""Only a response that means it says that there is no referrers API."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.referrers_api import says_no_api
from azext_acrartifact.transport.error_responses import Refusal

CACHED = "request to fetch referrers from source 'x/y' for cache rule 'z' returned status code {}. CorrelationId:x"


@pytest.mark.parametrize("refusal", [Refusal(), Refusal("UNSUPPORTED"), Refusal("NOT_FOUND", "page not found")])
def test_404_of_the_path(refusal: Refusal) -> None:
    assert says_no_api(404, refusal)


@pytest.mark.parametrize(
    "code", ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NAME_INVALID", "TAG_UNKNOWN", "BLOB_UNKNOWN", "DIGEST_INVALID"]
)
def test_404_of_the_content_is_none(code: str) -> None:
    assert not says_no_api(404, Refusal(code))


@pytest.mark.parametrize("status", [400, 405, 501])
def test_an_unsupported_operation(status: int) -> None:
    assert says_no_api(status, Refusal("UNSUPPORTED"))
    assert not says_no_api(status, Refusal())
    assert not says_no_api(status, Refusal("REGISTRY_DISALLOWED_OPERATION"))


@pytest.mark.parametrize(
    ("source", "says_so"),
    [(303, True), (404, True), (200, True), (401, False), (403, False), (429, False), (503, False)],
)
def test_a_cache_rule_reports_its_source(source: int, says_so: bool) -> None:
    assert says_no_api(424, Refusal("UNKNOWN", CACHED.format(source))) is says_so


def test_a_cache_rule_may_give_no_reason() -> None:
    assert says_no_api(424, Refusal())


@pytest.mark.parametrize("status", [200, 307, 401, 403, 406, 409, 410, 416, 418, 429, 500, 503])
def test_other_statuses_are_not_about_the_api(status: int) -> None:
    assert not says_no_api(status, Refusal())
