"""The Key Vault of the local Azure, which is as strict as the service."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from acr_emulator.app import App
from acr_emulator.entra.tokens import Issuer
from acr_emulator.jwt import decode, encode
from acr_emulator.messages import Headers, Request, Response
from acr_emulator.world import RoleAssignment, default_world
from tests.support.signers import alone, chain_of

HOST = "myvault.vault.azure.net"


class Client:
    """Sends requests to the vault as one of the world's principals."""

    def __init__(self, app: App) -> None:
        self.app = app

    def token(self, who: str = "pusher", audience: str = "https://vault.azure.net") -> str:
        """Return a token of *who*."""
        principal = self.app.world.principal(who)
        assert principal is not None
        return Issuer(self.app.world, self.app.signer).access_token(principal, audience)[0]

    def __call__(
        self, method: str, path: str, body: object = None, *, token: str | None = None, query: str = "api-version=7.5"
    ) -> tuple[int, dict]:
        """Send a request; return status and JSON."""
        raw = json.dumps(body).encode()
        bearer = [("Authorization", f"Bearer {self.token() if token is None else token}")]
        headers = Headers(bearer if token != "" else [])
        response: Response = self.app.dispatch(
            Request(method, "https", HOST, 443, path, query, headers, io.BytesIO(raw), len(raw))
        )
        assert isinstance(response.body, bytes)
        return response.status, json.loads(response.body)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Return a client of a fresh local Azure."""
    return Client(App(default_world(), tmp_path))


def code(received: tuple[int, dict]) -> tuple[int, str]:
    """Return the status and the most exact code of an error."""
    error = received[1]["error"]
    return received[0], error.get("innererror", {}).get("code") or error["code"]


def test_a_certificate_its_key_and_its_secret_share_a_version(client: Client) -> None:
    status, found = client("GET", "/certificates/release")
    assert status == 200
    version = found["id"].rpartition("/")[2]
    assert found["kid"] == f"https://{HOST}/keys/release/{version}"
    key = client("GET", f"/keys/release/{version}")[1]["key"]
    assert (key["kid"], key["kty"], key["crv"]) == (found["kid"], "EC", "P-256")
    assert client("GET", f"/secrets/release/{version}")[1]["contentType"] == "application/x-pkcs12"


def test_a_signature_is_verified_by_the_certificate(client: Client) -> None:
    found = client("GET", "/certificates/release")[1]
    digest = hashlib.sha256(b"content").digest()
    path = found["kid"].partition(HOST)[2] + "/sign"
    status, signed = client("POST", path, {"alg": "ES256", "value": encode(digest)})
    assert (status, signed["kid"]) == (200, found["kid"])
    raw = decode(signed["value"])
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = x509.load_der_x509_certificate(base64.b64decode(found["cer"])).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, b"content", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"alg": "RS256", "value": encode(bytes(32))}, "BadParameter"),
        ({"alg": "ES384", "value": encode(bytes(48))}, "BadParameter"),
        ({"alg": "ES256", "value": encode(bytes(31))}, "BadParameter"),
        ({"alg": "none", "value": encode(bytes(32))}, "BadParameter"),
        ({"alg": "ES256", "value": "%"}, "BadParameter"),
        ({"alg": "ES256"}, "BadParameter"),
        (None, "BadParameter"),
    ],
)
def test_a_hash_that_does_not_fit_is_refused(client: Client, body: object, expected: str) -> None:
    path = client("GET", "/certificates/release")[1]["kid"].partition(HOST)[2] + "/sign"
    assert code(client("POST", path, body)) == (400, expected)


def test_who_may_not_is_refused(client: Client) -> None:
    assert code(client("GET", "/certificates/release", token="")) == (401, "Unauthorized")
    assert code(client("GET", "/certificates/release", token="x.y.z")) == (401, "Unauthorized")
    arm = client.token(audience="https://management.azure.com")
    assert "AKV10022" in client("GET", "/certificates/release", token=arm)[1]["error"]["message"]
    assert code(client("GET", "/certificates/release", token=client.token("other"))) == (401, "Unauthorized")
    assert code(client("GET", "/keys/release", token=client.token("reader"))) == (403, "ForbiddenByRbac")
    assert code(client("POST", "/certificates/new/import", {"value": "x"})) == (403, "ForbiddenByRbac")
    client.app.world.vaults[0].public_network_access = False
    assert code(client("GET", "/certificates/release")) == (403, "ForbiddenByFirewall")


def test_requests_are_counted(client: Client) -> None:
    client.app.world.vaults[0].requests_per_10_seconds = 2
    assert [client("GET", "/certificates/release")[0] for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/certificates/release", "", (400, "BadParameter")),
        ("GET", "/certificates/none", "api-version=7.5", (404, "CertificateNotFound")),
        ("GET", f"/keys/release/{'0' * 32}", "api-version=7.5", (404, "KeyNotFound")),
        ("GET", "/secrets/none", "api-version=7.5", (404, "SecretNotFound")),
        ("GET", "/other/release", "api-version=7.5", (404, "NotFound")),
        ("POST", "/keys/release/sign", "api-version=7.5", (405, "MethodNotAllowed")),
        ("DELETE", "/keys/release", "api-version=7.5", (405, "MethodNotAllowed")),
    ],
)
def test_other_requests_are_refused(
    client: Client, method: str, path: str, query: str, expected: tuple[int, str]
) -> None:
    assert code(client(method, path, query=query)) == expected


def test_versions_and_disabled_ones(client: Client) -> None:
    user = client.token("user@contoso.example")
    versions = []
    for chain in ((alone(),), chain_of()):
        value = (chain[0].key_pem + b"".join(one.pem for one in chain)).decode()
        versions.append(client("POST", "/certificates/mine/import", {"value": value}, token=user)[1]["id"])
    newest = client("GET", "/certificates/mine")[1]
    assert newest["id"] == versions[1] != versions[0]
    assert client("GET", versions[0].partition(HOST)[2])[1]["cer"] == base64.b64encode(alone().der).decode()
    path = versions[1].partition(HOST)[2]
    assert client("PATCH", path, {"attributes": {"enabled": False}}, token=user)[0] == 200
    assert code(client("GET", path.replace("certificates", "secrets"))) == (403, "SecretDisabled")
    body = {"alg": "ES256", "value": encode(bytes(32))}
    assert code(client("POST", path.replace("certificates", "keys") + "/sign", body)) == (403, "KeyDisabled")
    wrong = client("POST", "/certificates/mine/import", {"value": "-----BEGIN"}, token=user)
    assert code(wrong) == (400, "BadParameter")


def test_a_role_for_one_thing_is_none_for_another(client: Client) -> None:
    reader = client.app.world.principal("reader")
    assert reader is not None
    client.app.world.vaults[0].roles.append(RoleAssignment(reader.object_id, "Key Vault Reader"))
    token = client.token("reader")
    assert client("GET", "/certificates/release", token=token)[0] == 200
    assert code(client("GET", "/secrets/release", token=token)) == (403, "ForbiddenByRbac")
