"""The control API over a socket, and the checks of settings."""

from __future__ import annotations

import contextlib
import json

import pytest


def call(front, fetch, method: str, name: str, body: object = None):
    with contextlib.closing(front.plain()) as connection:
        status, response, _ = fetch(
            connection, method, f"/_emulator/{name}", None if body is None else json.dumps(body)
        )
    return status, json.loads(response) if response else None


def test_health_and_unknown_pages(front, fetch):
    assert call(front, fetch, "GET", "health") == (200, {"status": "ok"})
    assert call(front, fetch, "GET", "nothing")[0] == 404
    assert call(front, fetch, "PUT", "health")[0] == 404


def test_control_requests_are_not_logged(front, fetch):
    call(front, fetch, "GET", "health")
    assert call(front, fetch, "GET", "log") == (200, [])


def test_the_log_over_the_wire(front, fetch):
    with contextlib.closing(front.tunnel()) as tunnel:
        fetch(tunnel, path="/a")
        fetch(tunnel, path="/b")
    _, entries = call(front, fetch, "GET", "log")
    assert [entry["path"] for entry in entries] == ["/a", "/b"]
    _, rest = call(front, fetch, "GET", f"log?since={entries[0]['id']}")
    assert [entry["path"] for entry in rest] == ["/b"]
    assert call(front, fetch, "DELETE", "log")[0] == 204
    assert call(front, fetch, "GET", "log")[1] == []
    assert call(front, fetch, "GET", "log?since=x")[0] == 400


def test_faults_over_the_wire(front, fetch):
    status, response = call(front, fetch, "POST", "faults", {"action": "status", "times": 3})
    assert status == 201
    assert call(front, fetch, "GET", "faults")[1][0]["id"] == response["id"]
    assert call(front, fetch, "POST", "faults", {"action": "?"})[0] == 400
    assert call(front, fetch, "DELETE", f"faults/{response['id']}")[0] == 204
    assert call(front, fetch, "DELETE", f"faults/{response['id']}")[0] == 404


def test_settings_change_the_world(front, fetch):
    patch = {
        "lifetimes": {"acr_access": 2, "storageSas": 1.5},
        "limits": {"upload_body": 1024},
        "registries": {"myregistry": {"anonymousPullEnabled": True, "blocked_client_ip": "1.2.3.4", "roles": []}},
        "principals": {"pusher": {"enabled": False, "secrets": ["new"]}},
        "managedIdentity": None,
        "strictAccept": False,
    }
    assert call(front, fetch, "PATCH", "settings", patch)[0] == 200
    world = front.world
    assert (world.lifetimes.acr_access, world.lifetimes.storage_sas, world.limits.upload_body) == (2, 1.5, 1024)
    registry, pusher = world.registry("myregistry"), world.principal("pusher")
    assert (registry.anonymous_pull_enabled, registry.blocked_client_ip, registry.roles) == (True, "1.2.3.4", [])
    assert (pusher.enabled, pusher.secrets) == (False, ["new"])
    assert (world.managed_identity, world.strict_accept) == (None, False)


def test_roles_and_tokens_are_made_from_json(front, fetch):
    roles = [{"objectId": "o", "role": "AcrPull"}]
    tokens = [{"name": "t", "passwords": ["p"], "actions": ["a/content/read"]}]
    lags = [{"part": "tags", "reads": 2}]
    patch = {"registries": {"myregistry": {"roles": roles, "tokens": tokens, "lags": lags}}}
    assert call(front, fetch, "PATCH", "settings", patch)[0] == 200
    registry = front.world.registry("myregistry")
    assert (registry.roles[0].role, registry.tokens[0].actions) == ("AcrPull", ["a/content/read"])
    assert (registry.lags[0].part, registry.lags[0].seconds, registry.lags[0].reads) == ("tags", 0, 2)


@pytest.mark.parametrize(
    "patch",
    [
        {"nope": 1},
        {"lock": 1},
        {"lifetimes": {"nope": 1}},
        {"lifetimes": {"entra": "5"}},
        {"lifetimes": 5},
        {"registries": {"nope": {}}},
        {"registries": {"myregistry": {"nope": 1}}},
        {"registries": {"myregistry": {"anonymous_pull_enabled": 1}}},
        {"registries": {"myregistry": {"half_chunk": "lost"}}},
        {"registries": {"myregistry": {"roles": [{"nope": 1}]}}},
        {"registries": {"myregistry": {"lags": [{"part": "nope"}]}}},
        {"strictAccept": None},
        [],
    ],
)
def test_an_invalid_setting_changes_nothing(front, fetch, patch):
    before = call(front, fetch, "GET", "world")[1]
    if isinstance(patch, dict):
        patch = {"lifetimes": {"entra": 1}, **patch} if "lifetimes" not in patch else patch
    assert call(front, fetch, "PATCH", "settings", patch)[0] == 400
    assert call(front, fetch, "GET", "world")[1] == before


def test_reset_restores_everything(front, fetch):
    before = call(front, fetch, "GET", "world")[1]
    call(front, fetch, "PATCH", "settings", {"lifetimes": {"entra": 1}, "registries": {"myregistry": {"roles": []}}})
    call(front, fetch, "POST", "faults", {"action": "status"})
    assert call(front, fetch, "POST", "reset")[0] == 204
    assert call(front, fetch, "GET", "world")[1] == before
    assert call(front, fetch, "GET", "faults")[1] == []
