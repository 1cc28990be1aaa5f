"""Microsoft Entra ID and Azure Resource Manager as attackers: slow, endless, huge, redirecting, or lying (R28, R30)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from tests.hostile.case import GETS_IT, REFUSES, REGISTRY, SUCCEEDS, Case, Command, Identity, Right
from tests.hostile.names import (
    ARM,
    ARM_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    ENTRA,
    ENTRA_TOKEN,
    EVIL,
    PASSWORD,
    REFRESH_TOKEN,
    SERVER,
    SUBSCRIPTION,
    TENANT,
    USER,
)
from tests.hostile.site import Play, Site, as_json, error, response, rule, site, unending
from tests.hostile.wire import Response, Sent

TOKEN = f"POST https://{ENTRA}/"
DISCOVERY = f"GET https://{ENTRA}/"
LIST = f"GET https://{ARM}/"
ADMIN = f"POST https://{ARM}/"
NAME = SERVER.partition(".")[0]
ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{NAME}"
LOGIN = f"https://{ENTRA}/{TENANT}"
HOSTS = frozenset({REGISTRY, f"https://{ENTRA}", f"https://{ARM}"})
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def signed_in(folder: Path) -> None:
    """Write what `az login --service-principal` leaves behind, but no token."""
    user = {"name": CLIENT_ID, "type": "servicePrincipal"}
    subscription = {"id": SUBSCRIPTION, "name": "s", "state": "Enabled", "isDefault": True, "user": user}
    subscription |= {"tenantId": TENANT, "environmentName": "AzureCloud", "homeTenantId": TENANT}
    entry = {"client_id": CLIENT_ID, "tenant": TENANT, "client_secret": CLIENT_SECRET}
    files = {"azureProfile.json": {"subscriptions": [subscription]}, "service_principal_entries.json": [entry]}
    for name, content in files.items():
        (folder / "config" / name).write_text(json.dumps(content))


def issued(value: object) -> Response:
    """Return Entra's response with a token."""
    return as_json({"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": value})


def listed(*items: object, **more: object) -> Response:
    """Return Resource Manager's list of registries."""
    return as_json({"value": items, **more})


def item(server: str = SERVER, **more: object) -> dict[str, object]:
    """Return a registry as it is listed."""
    return {"id": ID, "name": NAME, "properties": {"loginServer": server}, **more}


def admin(*passwords: object, username: object = USER) -> Response:
    """Return Resource Manager's response to listCredentials."""
    return as_json({"username": username, "passwords": [{"name": "password", "value": value} for value in passwords]})


def _token(made: Site, sent: Sent) -> Response:
    scope = parse_qs(sent.body.decode()).get("scope", [""])[0]
    return issued(ENTRA_TOKEN if "containerregistry" in scope else ARM_TOKEN)


HONEST = (
    rule(DISCOVERY, as_json({"issuer": f"{LOGIN}/v2.0", "authorization_endpoint": f"{LOGIN}/oauth2/v2.0/authorize",
                             "token_endpoint": f"{LOGIN}/oauth2/v2.0/token"})),
    rule(TOKEN, _token),
    rule(LIST, listed(item())),
    rule(ADMIN, admin(PASSWORD, f"second-{PASSWORD}")),
    rule(f"POST https://{SERVER}/oauth2/exchange", as_json({"refresh_token": REFRESH_TOKEN})),
)  # fmt: skip


def azure(match: str, play: Play) -> Callable[[], Site]:
    """Return a maker of a good registry, Entra ID and Resource Manager, of which requests that match get *play*."""
    return lambda: site(None, rule(match, play), *HONEST)


def creeping(start: bytes, block: bytes = b" ") -> Response:
    """Return a response that continues for ever, a block twice a second."""
    return unending(start, block, 0.5)


SLOW: dict[str, tuple[str, Response]] = {
    "silence": ("silence, without end", Response(b"", "hang")),
    "late": ("silence after the headers", Response(JSON + b"Content-Length: 100\r\n\r\n", "hang")),
    "creeps": ("blanks without end, two a second", creeping(JSON + b"\r\n")),
    "headers": ("headers without end, two bytes a second", creeping(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
    "interim": ("interim responses without end", creeping(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    "chunks": ("chunks without end", creeping(JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")),
    "endless": ("a body without end, 128 KiB a second", creeping(JSON + b"\r\n", b" " * 65536)),
}
WRONG: dict[str, tuple[str, Response]] = {
    "not-json": ("no JSON", response(200, b"<html>")),
    "list": ("a list", as_json([1])),
    "null": ("null", as_json(None)),
    "deep": ("100,000 brackets", response(200, b"[" * 100_000)),
    "empty": ("nothing", response(200)),
    "huge": ("8 MiB of blanks", response(200, b" " * (8 << 20))),
    "denied": ("an error with a terminal's commands", as_json({"error": {"code": "\x1b[2J", "message": "##vso[a]b\n\x1b]0;x\x07"}}, 403)),
    "throttled": ("wait for 999,999 s", error(429, "X", Retry_After="999999")),
    "failing": ("503", response(503)),
    "redirect": ("a 302 elsewhere", response(302, Location=f"https://{EVIL}/")),
}  # fmt: skip
FAST = unending(JSON + b"\r\n", b" " * 65536)
_ZEROS = zlib.compressobj(9, wbits=31)
_PACKED = _ZEROS.compress(b" " * (64 << 20)) + _ZEROS.flush(zlib.Z_FULL_FLUSH)
FLOODS: dict[str, tuple[str, Response]] = {
    "fast": ("a body without end, at full speed", FAST),
    "32-mib": ("a body of 32 MiB", response(200, b" " * (32 << 20))),
    "48-mib": ("a body of 48 MiB", response(200, b" " * (48 << 20))),
    "150-mib": ("a body of 150 MiB", Response(lambda: (b"HTTP/1.1 200 OK\r\nContent-Length: 157286400\r\n\r\n", *[b" " * (1 << 20)] * 150))),
    "packed": ("compressed blanks without end", unending(JSON + b"Content-Encoding: gzip\r\n\r\n", _PACKED)),
}  # fmt: skip
DENSE = as_json({"value": [[]] * 90_000})


ENVIRONMENT = {"AZURE_CLIENT_ID": CLIENT_ID, "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_SECRET": CLIENT_SECRET}


def case(
    name: str, does: str, match: str, play: Play, right: Right, identity: Identity, requirement: str = "R30",
    command: Command | None = None,
) -> Case:  # fmt: skip
    """Return a case of a host that gives *play*; a list by the registry's name asks Resource Manager for it first."""
    usual: Command = "list-by-name" if match == LIST and identity == "login" else "pull"
    return Case(
        name, requirement, does, azure(match, play), right, command=command or usual, hosts=HOSTS, identity=identity,
        before=signed_in, variables=ENVIRONMENT if identity == "environment" else {}, ours_only=True,
    )  # fmt: skip


def each(kind: str, match: str, identity: Identity, right: Right = REFUSES, *, redirects: bool = True) -> list[Case]:
    """Return the cases of slow and wrong responses of one host."""
    slow = [case(f"{kind}-{name}", does, match, play, right, identity, "R28") for name, (does, play) in SLOW.items()]
    wrong = [case(f"{kind}-{name}", does, match, play, right, identity) for name, (does, play) in WRONG.items()]
    return [*slow, *(made for made in wrong if redirects or not made.name.endswith("redirect"))]


COMMANDS: tuple[Command, ...] = ("list-by-name", "login", "push", "check-access", "delete", "copy")
SERVERS = {
    "evil": EVIL, "path": f"{EVIL}/x.azurecr.io", "user": f"{SERVER}@{EVIL}", "other": "otherregistry.azurecr.io",
    "port": f"{SERVER}:8443", "inward": "127.0.0.1", "line": f"{SERVER}\r\nX: y", "long": f"{NAME}.{'a' * 5000}",
}  # fmt: skip
ADMINS: dict[str, tuple[str, Response]] = {
    "line-break": ("a password with a line break", admin("a\r\nX: y")),
    "number": ("passwords that are numbers", admin(1, 2)),
    "object": ("passwords that are an object", as_json({"username": USER, "passwords": {"a": PASSWORD}})),
    "none": ("no password", admin()),
    "blank": ("an empty password", admin("")),
    "user-type": ("a user name that is a list", admin(PASSWORD, username=[USER])),
    "user-ansi": ("a user name that is a terminal's command", admin("wrong", username="\x1b[2J##vso[a]b")),
    "surrogate": ("a password that is no Unicode", admin("\ud800")),
}

CASES = [
    case("azure-ok-login", "all of Azure is good", "nothing", FAST, GETS_IT, "login", "R20"),
    case("azure-ok-environment", "all of Azure is good", "nothing", FAST, GETS_IT, "environment", "R20"),
    case("azure-ok-admin", "all of Azure is good", "nothing", FAST, GETS_IT, "admin", "R20"),
    # msal follows a redirect, even with the client's secret, as in every command of Azure CLI.
    *each("entra-token", TOKEN, "login", redirects=False),
    *each("entra-discovery", DISCOVERY, "login", redirects=False),
    *(case(f"entra-{kind}-{name}", does, match, play, REFUSES, "login") for kind, match in (("token", TOKEN), ("discovery", DISCOVERY)) for name, (does, play) in FLOODS.items()),
    *(case(f"entra-{kind}-{command}", f"{command}, and {does}", TOKEN, play, REFUSES, "login", "R28" if kind == "silence" else "R30", command) for kind, (does, play) in (("silence", SLOW["silence"]), ("fast", FLOODS["fast"])) for command in COMMANDS),
    *(case(f"environment-{name}", does, TOKEN, play, REFUSES, "environment", "R28") for name, (does, play) in SLOW.items()),
    *(case(f"environment-{name}", does, TOKEN, play, REFUSES, "environment") for name, (does, play) in {**WRONG, **FLOODS}.items()),
    *each("arm-list", LIST, "login", SUCCEEDS),
    *(made for made in each("arm-admin-list", LIST, "admin") if made.name.rpartition("-")[2] in ("silence", "endless", "denied", "redirect")),
    *each("arm-admin", ADMIN, "admin"),
    case("arm-list-fast", "a list without end, at full speed", LIST, FAST, SUCCEEDS, "login"),
    case("arm-list-dense", "a list of 90,000 lists", LIST, DENSE, SUCCEEDS, "login"),
    case("arm-list-next", "a next page elsewhere", LIST, listed(nextLink=f"https://{EVIL}/"), SUCCEEDS, "login"),
    case("arm-admin-fast", "passwords without end, at full speed", ADMIN, FAST, REFUSES, "admin"),
    case("arm-admin-307", "a 307 elsewhere, with the token", ADMIN, response(307, Location=f"https://{EVIL}/"), REFUSES, "admin"),
    case("arm-admin-id", "a registry's id that leads elsewhere", LIST, listed(item(id=f"https://{EVIL}{ID}")), REFUSES, "admin"),
    case("arm-admin-id-query", "a registry's id with a query", LIST, listed(item(id=ID.replace("/g/", "/g?x=1#/"))), GETS_IT, "admin"),
    *(case(f"arm-server-{name}", "a login server that is not the registry's", LIST, listed(item(server)), SUCCEEDS if name == "long" else REFUSES, "login") for name, server in SERVERS.items()),
    *(case(f"arm-admin-{name}", does, ADMIN, play, REFUSES, "admin") for name, (does, play) in ADMINS.items()),
    case("arm-reflects", "an error that repeats its token", ADMIN, lambda made, sent: as_json({"error": {"code": "x", "message": sent.headers["authorization"]}}, 400), REFUSES, "admin", "R34"),
    case("admin-later", "a later error repeats the admin's passwords", f"GET https://{SERVER}/v2/.*/manifests/", error(404, PASSWORD, f"{PASSWORD} second-{PASSWORD}"), REFUSES, "admin", "R34"),
]  # fmt: skip
