"""Each error response of ACR: a message with its cause and the next step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.functional.az import Az, assert_refused
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin


def body(code: str, message: str, detail: object = None) -> str:
    """Return an error as a registry writes it."""
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]})


VISIT = "authentication required, visit https://aka.ms/acr/authorization for more information."
NEEDS = [{"Type": "repository", "Name": "a", "Action": "pull"}]
CHALLENGE = f'Bearer realm="https://{SERVER}/oauth2/token",service="{SERVER}",scope="repository:a:pull"'
INSUFFICIENT = {"WWW-Authenticate": f'{CHALLENGE},error="insufficient_scope"'}
STORAGE = "*.blob.core.windows.net"
IP = (
    "client with IP \\u0027203.0.113.7\\u0027 is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
)
DISALLOWED = "The operation is disallowed on this registry, repository or image."
XML = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{}</Code><Message>Server failed\nTime:x</Message></Error>'

ROWS = {
    "no token": (401, body("UNAUTHORIZED", VISIT, NEEDS), {"WWW-Authenticate": CHALLENGE}, 1,
                 ["did not accept the sign-in", "az login"]),
    "no right": (401, body("UNAUTHORIZED", VISIT, NEEDS), INSUFFICIENT, 1,
                 ["No permission", "may not pull", "the role AcrPull."]),
    "a firewall": (403, body("DENIED", "{IP}").replace("{IP}", IP), {}, 1,
                   ["203.0.113.7", "networkRuleSet", "aka.ms/acr/firewall"]),
    "another 403": (403, body("FORBIDDEN", "no"), {}, 1, ["role"]),
    "no manifest": (404, body("MANIFEST_UNKNOWN", "manifest sha256:0 is not found", {"Name": "a"}), {}, 3,
                    [f"az acr artifact list {SERVER}/samples/"]),
    "no tag": (404, body("TAG_UNKNOWN", "the specified tag does not exist"), {}, 3,
               [f"az acr artifact list {SERVER}/samples/"]),
    "no name": (404, body("NAME_UNKNOWN", "repository name not known to registry"), {}, 3,
                [f"az acr artifact list {SERVER}\n"]),
    "a lock": (405, body("REGISTRY_DISALLOWED_OPERATION", DISALLOWED, {}), {}, 1,
               ["disallowed", "lock", "aka.ms/acr/faq"]),
    "an operation that it does not have": (405, body("UNSUPPORTED", "The operation is unsupported."), {}, 1,
                                           ["unsupported", "does not offer"]),
    "a throttle": (429, body("TOOMANYREQUESTS", "too many requests"), {"Retry-After": "500"}, 1, ["500 s"]),
    "another 4xx": (418, body("UNSUPPORTED", "no"), {}, 1, ["--verbose", "correlation id"]),
}  # fmt: skip


def test_an_error_of_the_registry(az: Az, emulator: Emulator, repository: str, subtests: pytest.Subtests) -> None:
    for number, (status, text, headers, _, _) in enumerate(ROWS.values()):
        path = f"/{repository}-{number}/manifests/"
        emulator.fault(host=SERVER, path=path, action="status", status=status, body=text, headers=headers)
    results = in_one_process(az, [["pull", f"{SERVER}/{repository}-{number}:1.0"] for number in range(len(ROWS))])
    for (row, (*_, code, words)), refused in zip(ROWS.items(), results, strict=True):
        with subtests.test(row):
            assert_refused(refused, code)
            for word in words:
                assert word in refused.stderr


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AuthenticationFailed"), (400, "InvalidAuthenticationInfo"), (403, "AuthorizationFailure")],
)
def test_an_error_of_the_storage(
    az: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str, status: int, code: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(host=STORAGE, action="status", status=status, body=XML.format(code))
    refused = az.refused(1, "pull", artifact)
    for word in (code, "storage", "clock", "proxy"):
        assert word in refused.stderr
    assert "role" not in refused.stderr


def test_a_blob_that_stays_unknown(az: Az, emulator: Emulator, artifact: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    unknown = body("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", f"sha256:{'0' * 64}")
    emulator.fault(host=SERVER, path="/manifests/", method="PUT", action="status", status=400, body=unknown)
    refused = az.refused(1, "push", artifact, "--file", "a.txt")
    for word in ("blob unknown to registry", f"sha256:{'0' * 64}", "geo.azurecr.io"):
        assert word in refused.stderr
