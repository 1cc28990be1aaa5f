"""Secrets and names in recorded text become placeholders, and what a reader needs stays."""

from __future__ import annotations

import pytest

from devtools import steps
from devtools.live.redaction import Redactor

HEX = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    for name, placeholder in (("myregistry", "REGISTRY"), ("ab12cd34", "RUN"), ("Contoso Ltd", "TENANT")):
        made.hide(name, placeholder)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MyRegistry.azurecr.io is not myregistry2", "REGISTRY.azurecr.io is not myregistry2"),
        ("/acr/v1/a%2Fab12cd34%2Fb", "/acr/v1/a%2FRUN%2Fb"),
        ("myregistry.westus2.geo.azurecr.io", "REGISTRY.REGION.geo.azurecr.io"),
        ("Contoso Ltd, me.too@contoso.example", "TENANT, ACCOUNT"),
        ("client with IP '203.0.113.7' or 2001:db8::7, at 12:13:07", "client with IP 'IP' or IP, at 12:13:07"),
        ("registries-0f0e0d0c-1111-2222-3333-44445555666a", "registries-UUID"),
        ("/0f0e0d0c-1111-2222-3333-44445555666a-fed091d159//docker", "/UUID//docker"),
        ("2026-01-02T03:04:05.1234567Z, Fri, 02 Jan 2026 03:04:05 GMT", "TIME, TIME"),
        ("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "Bearer TOKEN"),
        ("key AbCdEfGhIjKlMnOpQrStUv1234+x", "key OPAQUE"),
        ("https://acct1.blob.core.windows.net/c?sv=2016-05-31&se=2026&sig=a%2Fb&sp=r",
         "https://STORAGE.blob.core.windows.net/c?sv=2016-05-31&se=SE&sig=SIG&sp=r"),
        ('<a href="x?sp=r&amp;sig=s3cret&amp;regid=1">', '<a href="x?sp=r&amp;sig=SIG&amp;regid=REGID">'),
        ("/operationResults/1?api-version=2023-07-01&t=638&c=MII&s=x-y&h=z",
         "/operationResults/1?api-version=2023-07-01&t=T&c=C&s=S&h=H"),
        ("/v2/a/blobs/uploads/1?_nouploadcache=false&_state=abc&digest=sha256:12",
         "/v2/a/blobs/uploads/1?_nouploadcache=false&_state=STATE&digest=sha256:12"),
    ],
)  # fmt: skip
def test_what_is_secret_is_replaced(redactor: Redactor, text: str, expected: str) -> None:
    assert redactor.text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"sha256:{HEX}", f"last=sha256%3A{HEX}", f"/sha256/44/{HEX}/data", "application/vnd.oci.image.manifest.v1+json",
        "max-age=31536000; includeSubDomains", "Docker-Content-Digest, X-Ms-Correlation-Request-Id", "bytes 0-84521/*",
        '</acr/v1/a/_tags?last=t0099&n=100&orderby=>; rel="next"', "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
    ],
)  # fmt: skip
def test_what_a_reader_needs_stays(redactor: Redactor, text: str) -> None:
    assert redactor.text(text) == text


def test_a_member_and_a_header_with_a_secret_name_are_replaced(redactor: Redactor) -> None:
    body = {"refresh_token": "short", "tags": None, "registry": "myregistry", "sizes": [1, {"accessToken": "x"}]}
    shown = {"refresh_token": "SECRET", "tags": None, "registry": "REGISTRY", "sizes": [1, {"accessToken": "SECRET"}]}
    assert redactor.json(body) == shown
    assert redactor.header("Set-Cookie", "ARRAffinity=1; Path=/") == "SECRET"


def test_a_name_that_is_still_there_is_refused(redactor: Redactor) -> None:
    redactor.require_none("REGISTRY.azurecr.io")
    with pytest.raises(steps.Failed, match="still contains REGISTRY"):
        redactor.require_none("xMYREGISTRYx")
    redactor.hide("Azure", "SUBSCRIPTION", common=True)
    redactor.require_none("REGISTRY.azurecr.io")
