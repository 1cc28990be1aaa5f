"""The subscription of an account."""

from __future__ import annotations

from typing import Any

import pytest

from azext_acrartifact.cli.identity.account import subscription_of


@pytest.mark.parametrize(
    ("account", "subscription"),
    [({"id": "s", "tenantId": "t"}, "s"), ({"id": "t", "tenantId": "t"}, None), ({"tenantId": "t"}, None)],
)
def test_an_account_without_a_subscription_has_the_tenants_id(
    account: dict[str, Any], subscription: str | None
) -> None:
    assert subscription_of(account) == subscription
