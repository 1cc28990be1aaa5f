"""Keys in a Key Vault: that of the local Azure, over its wire."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from acr_emulator.app import App
from acr_emulator.entra.tokens import Issuer
from acr_emulator.vault.objects import PEM, PKCS12
from acr_emulator.world import RoleAssignment
from azext_acrartifact.errors import (
    ArtifactError,
    InvalidInputError,
    NetworkRuleError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RejectedError,
    SignatureError,
    SignInError,
    ThrottledError,
)
from azext_acrartifact.signing.certificates import Chain, check_chain, parse_certificate
from azext_acrartifact.signing.key_vault import KeyId, KeyVault, parse_key_id
from azext_acrartifact.signing.signer import SignatureForm, sign_artifact
from azext_acrartifact.signing.vault_key import VaultKey, open_vault_key
from azext_acrartifact.signing.verification import read_envelope
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.messages import Request
from tests.support.signers import KINDS, Issued, alone, chain_of, issue, leaf_extensions
from tests.unit.signing.test_verification import ARTIFACT

SUFFIX = ".vault.azure.net"
VAULT = f"https://myvault{SUFFIX}"
Open = Callable[..., KeyVault]
Import = Callable[..., str]


@pytest.fixture
def vault(app: App, http: HttpClient) -> Iterator[Open]:
    """Yield a function that opens the vault of an id as one of the world's principals, and restore the roles after."""
    usual_roles = list(app.world.vaults[0].roles)

    def open_as(key: str, who: str = "pusher", audience: str = "https://vault.azure.net") -> KeyVault:
        principal = app.world.principal(who)
        assert principal is not None
        token = Issuer(app.world, app.signer).access_token(principal, audience)[0]
        return KeyVault(parse_key_id(key, SUFFIX), http, lambda: token)

    yield open_as
    app.world.vaults[0].roles, app.world.vaults[0].requests_per_10_seconds = usual_roles, 4000
    app.world.vaults[0].public_network_access = True


@pytest.fixture
def imported(app: App, http: HttpClient) -> Import:
    """Return a function that imports a certificate with its chain and key, and returns its version."""

    def send(name: str, *chain: Issued, kind: str = PEM) -> str:
        user = app.world.principal("user@contoso.example")
        assert user is not None
        token = Issuer(app.world, app.signer).access_token(user, "https://vault.azure.net")[0]
        value = (chain[0].key_pem + b"".join(one.pem for one in chain)).decode()
        body = json.dumps({"value": value, "policy": {"secret_props": {"contentType": kind}}}).encode()
        url = f"{VAULT}/certificates/{name}/import?api-version=7.5"
        response = http.send(Request("POST", url, {"Content-Type": "application/json"}, body, f"Bearer {token}"))
        assert response.status == 200
        return str(json.loads(response.content(1 << 20))["id"].rpartition("/")[2])

    return send


def signs(key: VaultKey, kind: str = "jws") -> Chain:
    """Return the chain in a signature by *key*."""
    form = SignatureForm(kind)
    return read_envelope(form.media_type, sign_artifact(key, ARTIFACT, form)).chain


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs_with_its_algorithm(vault: Open, imported: Import, kind: str) -> None:
    imported(kind, alone(kind))
    for form in ("jws", "cose"):
        assert signs(open_vault_key(vault(f"{VAULT}/certificates/{kind}")), form).leaf.der == alone(kind).der


@pytest.mark.parametrize("content", [PEM, PKCS12])
@pytest.mark.parametrize("path", ["keys", "certificates"])
def test_the_chain_of_an_authority_comes_from_the_secret_in_order(
    vault: Open, imported: Import, content: str, path: str
) -> None:
    imported("issued", *chain_of(), kind=content)
    chain = signs(open_vault_key(vault(f"{VAULT}/{path}/issued")))
    assert [one.der for one in chain.certificates] == [one.der for one in chain_of()]


def given_chain(*certificates: Issued) -> Chain:
    """Return the chain of a file."""
    return check_chain([parse_certificate(one.der) for one in certificates])


def test_with_the_chain_from_a_file_no_secret_is_read(app: App, vault: Open, imported: Import) -> None:
    version = imported("filed", *chain_of())
    app.log.clear()
    signs(open_vault_key(vault(f"{VAULT}/keys/filed/{version}"), given_chain(*chain_of())))
    assert [one["path"] for one in app.log.entries()] == [f"/keys/filed/{version}/sign"]
    signs(open_vault_key(vault(f"{VAULT}/keys/filed"), given_chain(*chain_of())))
    signs(open_vault_key(vault(f"{VAULT}/certificates/filed"), given_chain(*chain_of())))
    assert not any("secrets" in one["path"] for one in app.log.entries())
    with pytest.raises(SignatureError, match="not that of the key"):
        open_vault_key(vault(f"{VAULT}/certificates/filed"), given_chain(alone()))


def test_a_version_is_the_one_that_was_asked_for(vault: Open, imported: Import) -> None:
    older, newer = imported("turned", alone()), imported("turned", alone(number=1))
    assert signs(open_vault_key(vault(f"{VAULT}/keys/turned/{older}"))).leaf.der == alone().der
    for name in ("turned", f"turned/{newer}", "Turned".lower()):
        assert signs(open_vault_key(vault(f"{VAULT}/keys/{name}"))).leaf.der == alone(number=1).der


def test_a_key_of_another_certificate_makes_no_signature(vault: Open, imported: Import) -> None:
    version = imported("swapped", alone())
    key = open_vault_key(vault(f"{VAULT}/keys/swapped/{version}"), given_chain(alone(number=1)))
    with pytest.raises(SignatureError, match="does not match"):
        sign_artifact(key, ARTIFACT, SignatureForm())


def test_a_certificate_that_is_not_for_signing_artifacts_is_explained(vault: Open, imported: Import) -> None:
    imported("servers", issue("servers", leaf_extensions(critical=False)))
    with pytest.raises(SignatureError) as error:
        open_vault_key(vault(f"{VAULT}/certificates/servers"))
    assert "docs/signing.md" in error.value.hint
    imported("rootless", *chain_of()[:2])
    with pytest.raises(SignatureError) as error:
        open_vault_key(vault(f"{VAULT}/certificates/rootless"))
    assert "--certificate-file" in error.value.hint


@pytest.mark.parametrize(
    ("role", "step"),
    [
        ([], "certificate"),
        (["Key Vault Crypto User"], "certificate"),
        (["Key Vault Reader"], "chain"),
        (["Key Vault Certificate User"], "sign"),
        (["Key Vault Certificate User", "Key Vault Crypto User"], ""),
        (["Key Vault Administrator"], ""),
    ],
)
def test_a_missing_role_is_named(app: App, vault: Open, imported: Import, role: list[str], step: str) -> None:
    imported("roles", *chain_of())
    pusher = app.world.principal("pusher")
    assert pusher is not None
    app.world.vaults[0].roles = [RoleAssignment(pusher.object_id, one) for one in role]
    expected = pytest.raises(PermissionDeniedError, match="Caller") if step else contextlib.nullcontext()
    with expected as error:
        signs(open_vault_key(vault(f"{VAULT}/certificates/roles")))
    if error is not None:
        assert step in error.value.what
        assert "Key Vault C" in error.value.hint


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"key": f"{VAULT}/keys/none"}, NotFoundError, "certificate"),
        ({"key": f"{VAULT}/certificates/release/{'0' * 32}"}, NotFoundError, "certificate"),
        ({"audience": "https://management.azure.com"}, SignInError, "AKV10022"),
        ({"who": "other"}, SignInError, "AKV10032"),
        ({"who": "reader"}, PermissionDeniedError, "not authorized"),
    ],
)
def test_what_the_vault_refuses_is_explained(
    vault: Open, change: dict[str, str], kind: type[ArtifactError], words: str
) -> None:
    with pytest.raises(kind, match=words) as error:
        open_vault_key(vault(**{"key": f"{VAULT}/keys/release", **change}))
    assert error.value.hint


def test_a_firewall_and_a_limit_are_no_missing_role(app: App, vault: Open) -> None:
    app.world.vaults[0].public_network_access = False
    with pytest.raises(NetworkRuleError):
        open_vault_key(vault(f"{VAULT}/keys/release"))
    app.world.vaults[0].public_network_access, app.world.vaults[0].requests_per_10_seconds = True, 0
    with pytest.raises(ThrottledError):
        open_vault_key(vault(f"{VAULT}/keys/release"))


def test_a_disabled_key_does_not_sign(app: App, vault: Open, imported: Import) -> None:
    imported("disabled", alone())
    service = next(one for one in app._services if hasattr(one, "_objects"))
    service._objects.versions("myvault", "disabled")[-1].enabled = False  # type: ignore[attr-defined]
    with pytest.raises(PermissionDeniedError, match="disabled"):
        signs(open_vault_key(vault(f"{VAULT}/keys/disabled")))


OTHER = "1" * 32
GOOD = {"id": f"{VAULT}/certificates/release/{OTHER}", "kid": f"{VAULT}/keys/release/{OTHER}", "cer": ""}


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/certificates", {**GOOD, "id": f"{VAULT}/certificates/other/{OTHER}"}, ProtocolError),
        ("/certificates", {**GOOD, "id": f"https://other{SUFFIX}/certificates/release/{OTHER}"}, ProtocolError),
        ("/certificates", {**GOOD, "kid": f"{VAULT}/keys/release/{'2' * 32}"}, ProtocolError),
        ("/certificates", {**GOOD, "kid": None}, ProtocolError),
        ("/certificates", {**GOOD, "cer": 7}, ProtocolError),
        ("/certificates", {**GOOD, "cer": "AAAA"}, SignatureError),
        ("/certificates", [], ProtocolError),
        ("/certificates", "", ProtocolError),
        ("/sign", {"kid": f"{VAULT}/keys/release/{OTHER}", "value": "AAAA"}, ProtocolError),
        ("/sign", {"value": "AAAA"}, ProtocolError),
    ],
)
def test_another_object_than_the_one_asked_for_is_refused(
    app: App, vault: Open, path: str, body: object, kind: type[ArtifactError]
) -> None:
    app.faults.add({"action": "status", "status": 200, "path": path, "body": body if body == "" else json.dumps(body)})
    with pytest.raises(kind):
        signs(open_vault_key(vault(f"{VAULT}/keys/release")))


@pytest.mark.parametrize(("status", "kind"), [(302, ProtocolError), (400, RejectedError), (418, RejectedError)])
def test_other_statuses_are_errors(app: App, vault: Open, status: int, kind: type[ArtifactError]) -> None:
    app.faults.add({"action": "status", "status": status, "path": "/certificates", "body": "x"})
    with pytest.raises(kind):
        open_vault_key(vault(f"{VAULT}/keys/release"))


@pytest.mark.parametrize(
    "text",
    [
        "", "release", "https://myvault.vault.azure.net/release", f"http://myvault{SUFFIX}/keys/release",
        f"{VAULT}/secrets/release", f"{VAULT}/keys/release/1", f"{VAULT}/keys/release/{OTHER}/sign",
        f"{VAULT}/keys/a_b",
        "https://myvault.vault.azure.net.evil.example/keys/release", "https://evil.example/keys/release",
        "https://user@myvault.vault.azure.net/keys/release", "https://my.vault.vault.azure.net/keys/release",
        "https://hsm.managedhsm.azure.net/keys/release", f"{VAULT}:443/keys/release", f"{VAULT}/keys/release?x=1",
    ],
)  # fmt: skip
def test_an_id_of_anything_else_gets_no_token(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_key_id(text, SUFFIX)


def test_the_parts_of_an_id() -> None:
    assert parse_key_id(f"https://MyVault{SUFFIX}/keys/Release/{OTHER}", SUFFIX) == KeyId(
        f"myvault{SUFFIX}", "keys", "Release", OTHER
    )
