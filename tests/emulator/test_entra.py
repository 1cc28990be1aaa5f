"""Entra's responses to plain requests, and to MSAL, as the Azure CLI uses it, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import io
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msal
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from acr_emulator import jwt
from acr_emulator.entra import CloudShell, Entra, ManagedIdentity
from acr_emulator.entra.managed_identity import IDENTITY_HEADER
from acr_emulator.entra.tokens import Issuer
from acr_emulator.jwt import Signer, TokenError
from acr_emulator.messages import Headers, Request, Response
from acr_emulator.world import ACR_AUDIENCE, ARM_AUDIENCE, OTHER_TENANT, TENANT, default_world

ACR_SCOPE = f"{ACR_AUDIENCE}/.default"
TOKEN = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Azure:
    """Entra and the identity endpoints, without sockets."""

    def __init__(self, key_file: Path) -> None:
        self.world = default_world()
        self.signer = Signer(key_file)
        self.issuer = Issuer(self.world, self.signer)
        self.services = [kind(self.world, self.signer) for kind in (Entra, ManagedIdentity, CloudShell)]
        self.pusher = self.world.principal("pusher")
        self.user = self.world.principal("user@contoso.example")

    def ask(self, method: str, url: str, form: dict | None = None, **headers: str) -> tuple[int, dict]:
        parts = urlsplit(url)
        body = urlencode(form or {}).encode()
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
        request = Request(method, parts.scheme, host, port, parts.path, parts.query, fields, io.BytesIO(body))
        response = self.dispatch(request)
        return response.status, requests.compat.json.loads(response.body)

    def dispatch(self, request: Request) -> Response:
        service = next(service for service in self.services if service.owns(request.host, request.port))
        return service.handle(request)

    def token(self, url: str = TOKEN, **form: str) -> tuple[int, dict]:
        given = {"grant_type": "client_credentials", "client_id": self.pusher.client_id, "scope": ACR_SCOPE}
        return self.ask("POST", url, {**given, **form})


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.pem"


@pytest.fixture
def azure(key_file: Path) -> Azure:
    return Azure(key_file)


def refused(response: tuple[int, dict]) -> tuple[int, str, int]:
    status, body = response
    code = body["error_codes"][0]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["correlation_id"] in body["error_description"]
    return status, body["error"], code


def test_a_secret_gets_a_token_for_its_audience(azure):
    azure.world.lifetimes.entra = 100
    status, body = azure.token(client_secret="pusher-secret")
    claims = azure.signer.verify(body["access_token"])
    assert (status, body["token_type"], body["expires_in"]) == (200, "Bearer", claims["exp"] - claims["iat"])
    assert (claims["aud"], claims["tid"], claims["oid"]) == (ACR_AUDIENCE, TENANT, azure.pusher.object_id)
    assert claims["appid"] == azure.pusher.client_id
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"
    assert 40 < claims["exp"] - time.time() <= 100


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        (ACR_SCOPE, ACR_AUDIENCE),
        (f"{ARM_AUDIENCE}/.default", ARM_AUDIENCE),
        ("https://management.core.windows.net//.default", "https://management.core.windows.net/"),
        (f"openid {ARM_AUDIENCE}/user_impersonation profile", ARM_AUDIENCE),
    ],
)
def test_the_audience_comes_from_the_scope(azure, scope, audience):
    body = azure.token(client_secret="pusher-secret", scope=scope)[1]
    assert jwt.peek(body["access_token"])["aud"] == audience


def test_v1_accepts_a_resource(azure):
    url = f"https://login.windows.net/{TENANT}/oauth2/token"
    body = azure.token(url, client_secret="pusher-secret", resource=ARM_AUDIENCE, scope="")[1]
    assert (body["resource"], body["expires_on"]) == (ARM_AUDIENCE, str(jwt.peek(body["access_token"])["exp"]))


def test_refused_token_requests(azure):
    good = {"client_secret": "pusher-secret"}
    other = TOKEN.replace(TENANT, OTHER_TENANT)
    assert refused(azure.token(client_secret="wrong")) == (401, "invalid_client", 7000215)
    assert refused(azure.token()) == (401, "invalid_client", 7000218)
    assert refused(azure.token(client_id="nobody-knows", **good)) == (400, "unauthorized_client", 700016)
    assert refused(azure.token(other, **good)) == (400, "unauthorized_client", 700016)
    assert refused(azure.token(TOKEN.replace(TENANT, "x"), **good)) == (400, "invalid_request", 90002)
    assert refused(azure.token(scope="https://x.example/.default", **good)) == (400, "invalid_resource", 500011)
    assert refused(azure.token(scope="", **good)) == (400, "invalid_request", 900144)
    assert refused(azure.token(grant_type="device_code")) == (400, "unsupported_grant_type", 70003)
    azure.pusher.enabled = False
    assert refused(azure.token(**good)) == (401, "unauthorized_client", 7000112)


def federated(azure: Azure, assertion: str) -> tuple[int, dict]:
    return azure.token(client_assertion=assertion, client_assertion_type=ASSERTION_TYPE)


def test_a_federated_token_is_exchanged(azure):
    token = azure.issuer.external_token("sc://org/project/connection", "api://AzureADTokenExchange", 60)
    assert federated(azure, token)[0] == 200
    azure.pusher.federated_subjects = ["someone else"]
    assert refused(federated(azure, token)) == (401, "invalid_client", 700213)
    azure.pusher.federated_subjects = ["sc://org/project/connection"]
    assert federated(azure, token)[0] == 200


def test_a_federated_token_must_be_valid_and_for_entra(azure):
    expired = azure.issuer.external_token("s", "api://AzureADTokenExchange", -1)
    assert refused(federated(azure, expired)) == (401, "invalid_client", 700024)
    elsewhere = azure.issuer.external_token("s", "https://example.org", 60)
    assert refused(federated(azure, elsewhere)) == (401, "invalid_client", 700212)
    assert refused(federated(azure, "not a token")) == (400, "invalid_request", 50027)


def test_another_issuers_token_needs_a_known_subject(azure, tmp_path):
    stranger = Issuer(azure.world, Signer(tmp_path / "other.pem"))
    token = stranger.external_token("repo:a/b", "api://AzureADTokenExchange", 60)
    assert refused(federated(azure, token))[2] == 700213
    azure.pusher.federated_subjects = ["repo:a/b"]
    assert federated(azure, token)[0] == 200


@pytest.mark.parametrize(
    ("claim", "value", "code"),
    [("sub", "another", 700021), ("aud", "https://example.org", 7000214), ("exp", 1, 700024)],
)
def test_a_certificates_assertion_is_checked(azure, claim, value, code):
    client_id = azure.pusher.client_id
    claims = {"iss": client_id, "sub": client_id, "aud": TOKEN, "exp": time.time() + 60, claim: value}
    assert refused(federated(azure, azure.signer.sign(claims)))[2] == code


def test_a_user_signs_in_and_renews(azure):
    form = {"client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scope": f"{ACR_SCOPE} openid"}
    given = {"grant_type": "password", "username": azure.user.name, "password": "user-password", **form}
    status, body = azure.token(**given)
    assert status == 200
    assert jwt.peek(body["id_token"])["preferred_username"] == azure.user.name
    claims = jwt.peek(body["access_token"])
    assert (claims["upn"], claims["idtyp"], claims["oid"]) == (azure.user.name, "user", azure.user.object_id)
    renew = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"], **form}
    assert azure.token(**renew)[0] == 200
    assert refused(azure.token(**{**renew, "refresh_token": body["access_token"]}))[2] == 700082
    assert refused(azure.token(**{**given, "password": "x"})) == (400, "invalid_grant", 50126)
    assert refused(azure.token(**{**given, "username": "x@contoso.example"}))[2] == 50034
    azure.user.enabled = False
    assert refused(azure.token(**renew))[2] == 50057


def test_discovery(azure):
    host = "https://login.microsoftonline.com"
    status, body = azure.ask("GET", f"{host}/{TENANT}/v2.0/.well-known/openid-configuration")
    assert (status, body["token_endpoint"]) == (200, TOKEN)
    assert azure.ask("GET", body["jwks_uri"])[1] == azure.signer.jwks()
    assert azure.ask("GET", f"{host}/contoso.example/.well-known/openid-configuration")[0] == 200
    assert azure.ask("GET", f"{host}/organizations/v2.0/.well-known/openid-configuration")[0] == 200
    unknown = azure.ask("GET", f"{host}/nowhere/v2.0/.well-known/openid-configuration")
    assert refused(unknown) == (400, "invalid_tenant", 90002)
    body = azure.ask("GET", f"{host}/common/discovery/instance?api-version=1.1")[1]
    assert "login.microsoftonline.com" in body["metadata"][0]["aliases"]
    assert azure.ask("GET", f"{host}/common/userrealm/a@contoso.example")[1]["account_type"] == "Managed"
    assert azure.ask("GET", f"{host}/common/userrealm/a@nowhere.example")[1]["account_type"] == "Unknown"


IMDS = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"


def test_the_metadata_service(azure):
    identity = azure.world.principal("identity")
    status, body = azure.ask("GET", f"{IMDS}&resource={ACR_AUDIENCE}", Metadata="true")
    assert (status, body["client_id"]) == (200, identity.client_id)
    assert jwt.peek(body["access_token"])["oid"] == identity.object_id
    assert azure.ask("GET", f"{IMDS}&resource={ACR_AUDIENCE}&client_id={identity.client_id}", Metadata="true")[0] == 200
    assert azure.ask("GET", f"{IMDS}&resource={ACR_AUDIENCE}&client_id=x", Metadata="true")[0] == 400
    assert azure.ask("GET", f"{IMDS}&resource={ACR_AUDIENCE}")[0] == 400
    assert azure.ask("GET", IMDS, Metadata="true")[0] == 400
    assert azure.ask("GET", f"{IMDS}&resource=https://x.example", Metadata="true")[1]["error"] == "invalid_resource"
    azure.world.managed_identity = None
    response = azure.ask("GET", f"{IMDS}&resource={ACR_AUDIENCE}", Metadata="true")
    assert response == (400, {"error": "invalid_request", "error_description": "Identity not found"})


def test_app_services_endpoint_requires_its_header(azure):
    def ask(header: str) -> Response:
        fields = Headers([("X-IDENTITY-HEADER", header)])
        query = urlencode({"resource": ACR_AUDIENCE})
        return azure.services[1].app_service(Request("GET", "", "", 80, "/msi/token", query, fields, io.BytesIO()))

    assert ask(IDENTITY_HEADER).status == 200
    assert ask("wrong").status == 401


def test_cloud_shell_serves_no_registry_audience(azure):
    url = "http://localhost:50342/oauth2/token"
    status, body = azure.ask("POST", url, {"resource": ARM_AUDIENCE}, Metadata="true")
    assert (status, jwt.peek(body["access_token"])["upn"]) == (200, azure.user.name)
    status, body = azure.ask("POST", url, {"resource": ACR_AUDIENCE}, Metadata="true")
    assert (status, body["error"]["code"]) == (400, "AudienceNotSupported")
    assert azure.ask("POST", url, {"resource": ARM_AUDIENCE})[0] == 400


def test_tokens_are_verified(azure):
    signer = azure.signer
    good = signer.sign({"exp": time.time() + 60, "nbf": time.time()})
    assert signer.verify(good)["exp"] > time.time()
    head, body, signature = good.split(".")
    forged = base64.urlsafe_b64encode(b'{"exp":9999999999}').rstrip(b"=").decode()
    for token, reason in [
        (f"{head}.{forged}.{signature}", "signature"),
        (f"{head}.{body}", "malformed"),
        (f"{head}.{body}.é", "malformed"),
        (signer.sign({"exp": time.time() - 1}), "expired"),
        (signer.sign({"exp": time.time() + 60, "nbf": time.time() + 30}), "not_yet_valid"),
        (signer.sign({}), "malformed"),
    ]:
        with pytest.raises(TokenError) as caught:
            signer.verify(token)
        assert caught.value.reason == reason


def test_a_valid_token_expires(azure):
    end = time.time() + 60
    token = azure.signer.sign({"exp": end})
    azure.signer.verify(token)
    with pytest.raises(TokenError, match="expired"):
        azure.signer.verify(token, now=end + 0.1)


def test_the_signing_key_survives_a_restart(azure, key_file):
    token = azure.signer.sign({"exp": time.time() + 60})
    assert Signer(key_file).verify(token)


class Msal:
    """MSAL, as the Azure CLI uses it, behind the front."""

    def __init__(self, front, azure: Azure) -> None:
        self._azure = azure
        self.session = requests.Session()
        self.session.proxies = dict.fromkeys(("http", "https"), f"http://127.0.0.1:{front.server.port}")
        self.session.verify = str(front.authority.certificate_file)

    def application(self, credential: object, tenant: str = TENANT) -> msal.ConfidentialClientApplication:
        authority = f"https://login.microsoftonline.com/{tenant}"
        client_id = self._azure.pusher.client_id
        return msal.ConfidentialClientApplication(client_id, credential, authority, http_client=self.session)

    def token(self, credential: object) -> dict:
        return self.application(credential).acquire_token_for_client([ACR_SCOPE])


@pytest.fixture
def client(front, azure):
    front.service = azure.dispatch
    front.owns = lambda host, port: any(service.owns(host, port) for service in azure.services)
    client = Msal(front, azure)
    yield client
    client.session.close()


def test_msal_with_a_secret(client, azure):
    assert azure.signer.verify(client.token("pusher-secret")["access_token"])["aud"] == ACR_AUDIENCE
    assert client.token("wrong")["error_codes"] == [7000215]


def test_msal_with_a_certificate(client, azure):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    thumbprint = hashlib.sha1(b"any certificate").hexdigest().upper()
    credential = {"private_key": pem.decode(), "thumbprint": thumbprint}
    assert client.token(credential)["error_codes"] == [700027]
    azure.pusher.certificate_thumbprints = [thumbprint]
    assert client.token(credential)["token_type"] == "Bearer"


def test_msal_with_a_federated_token(client, azure):
    token = azure.issuer.external_token("repo:a/b", "api://AzureADTokenExchange", 60)
    assert client.token({"client_assertion": lambda: token})["token_type"] == "Bearer"


def test_msal_renews_a_users_token(client, azure):
    application = msal.PublicClientApplication(
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        authority="https://login.microsoftonline.com/organizations",
        http_client=client.session,
    )
    with pytest.warns(DeprecationWarning, match="public client flows"):
        first = application.acquire_token_by_username_password(
            azure.user.name, "user-password", [f"{ARM_AUDIENCE}/.default"]
        )
    assert first["token_source"] == "identity_provider"
    (account,) = application.get_accounts()
    other = application.acquire_token_silent([ACR_SCOPE], account)
    assert jwt.peek(other["access_token"])["aud"] == ACR_AUDIENCE


def test_msal_for_a_managed_identity(client, azure):
    application = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=client.session)
    token = application.acquire_token_for_client(resource=ACR_AUDIENCE)
    assert jwt.peek(token["access_token"])["oid"] == azure.world.principal("identity").object_id
