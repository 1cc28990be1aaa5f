"""Tags of lists of referrers, and of cosign's signatures."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.referrers import is_referrers_tag, owner_of, referrers_tag
from tests.unit.oci.samples import D

LIST = D.replace(":", "-")


@pytest.mark.parametrize(
    ("tag", "is_list", "owner"),
    [(LIST, True, D), (f"{LIST}.sig", False, D), (LIST[:-1], False, None), ("sha256-x", False, None)],
)
def test_a_tag_made_from_a_digest_is_recognized(tag: str, is_list: bool, owner: str | None) -> None:
    assert (is_referrers_tag(tag), owner_of(tag)) == (is_list, owner)


def test_the_tag_of_a_list_has_a_hyphen_for_the_colon() -> None:
    assert referrers_tag(D) == LIST  # type: ignore[arg-type]
