"""Redirects: where a file's bytes may be fetched, and what is sent there (R6, R7, R15)."""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile.case import BLOBS, GETS_IT, REFUSES, REGISTRY, Case, either
from tests.hostile.names import EVIL, METADATA, SERVER, SIGNATURE, STORAGE
from tests.hostile.site import GOOD, Site, digest_of, response, rule, site
from tests.hostile.wire import Response, Sent

DIGEST = digest_of(GOOD)
BLOB = f"(GET|HEAD) https://{SERVER}/v2/.*/blobs/sha256"
SIGNED = f"https://{STORAGE}/blob/{DIGEST}?sv=2025&sig={SIGNATURE}&se=never"
AT_EVIL = frozenset({REGISTRY, BLOBS, f"https://{EVIL}"})
PUBLIC = frozenset({REGISTRY, BLOBS})
ONLY = frozenset({REGISTRY})


def to(location: str, status: int = 307, **headers: str) -> Callable[[], Site]:
    """Return a maker of a registry that redirects to *location* for its files, where any server has them."""
    there = rule(rf"https?://(?!{SERVER}/)", response(200, GOOD))
    return lambda: site(None, rule(BLOB, response(status, Location=location, **headers)), there)


def signed(*plays: Response) -> Callable[[], Site]:
    """Return a maker of a registry whose storage responds to the signed URL with *plays*."""
    return lambda: site(None, rule(BLOB, response(307, Location=SIGNED)), *(rule(STORAGE, play) for play in plays))


def hops(count: int, hosts: tuple[str, ...] = (STORAGE,)) -> Callable[[], Site]:
    """Return a maker of *count* redirects from one of *hosts* to the next."""

    def play(made: Site, sent: Sent) -> Response:
        step = int(sent.query.partition("step=")[2] or 0)
        if step >= count:
            return response(200, GOOD)
        return response(302, Location=f"https://{hosts[step % len(hosts)]}/x?step={step + 1}")

    return lambda: site(None, rule(BLOB, response(307, Location=f"https://{hosts[-1]}/x?step=0")), rule("/x$", play))


INWARD = {
    "metadata": f"http://{METADATA}/latest/meta-data/",
    "metadata-https": f"https://{METADATA}/latest/meta-data/",
    "metadata-number": "https://2852039166/latest/",
    "metadata-octal": "https://0251.0376.0251.0376/latest/",
    "metadata-hexadecimal": "https://0xa9fea9fe/latest/",
    "metadata-ipv6": "https://[::ffff:169.254.169.254]/latest/",
    "link-local-ipv6": "https://[fe80::1]/x",
    "loopback": "https://127.0.0.1/x",
    "loopback-name": "https://localhost/x",
    "loopback-ipv6": "https://[::1]/x",
    "loopback-short": "https://127.1/x",
    "private": "https://10.0.0.5/x",
    "unspecified": "https://0.0.0.0/x",
}
NEAR = {
    "loopback-dot": "https://localhost./x",
    "loopback-domain": "https://localhost.localdomain/x",
    "single-label": "https://intranet/x",
    "internal": "https://files.corp.internal/x",
    "local": "https://printer.local/x",
    "service": "https://kubernetes.default.svc/x",
    "service-long": "https://kubernetes.default.svc.cluster.local./x",
    "metadata-name": "https://metadata.google.internal/computeMetadata/v1/",
    "metadata-dot": "https://169.254.169.254./x",
    "wireserver": "https://168.63.129.16/machine?comp=goalstate",
    "wireserver-number": "https://2822734096/x",
    "alibaba": "https://100.100.100.200/latest/",
    "translated": "https://[64:ff9b::a9fe:a9fe]/x",
    "translated-local": "https://[64:ff9b:1::a9fe:a9fe]/x",
    "six-to-four": "https://[2002:a9fe:a9fe::1]/x",
    "teredo": "https://[2001:0:14a2:306:0:0:5601:5601]/x",
    "compatible": "https://[::169.254.169.254]/x",
    "number-at-the-end": "https://evil.example.0x7f/x",
}
ODD = {
    "downgrade": f"http://{STORAGE}/blob/{DIGEST}",
    "downgrade-same": f"http://{SERVER}/v2/x",
    "file": "file:///etc/passwd",
    "ftp": f"ftp://{EVIL}/x",
    "data": "data:text/plain,evil",
    "gopher": f"gopher://{EVIL}:25/x",
    "user": f"https://{SERVER}@{EVIL}/x",
    "user-password": f"https://user:password@{STORAGE}/x",
    "backslash": f"https://{EVIL}\\@{STORAGE}/x",
    "no-host": "https:///x",
    "port-text": f"https://{STORAGE}:evil/x",
    "port-huge": f"https://{STORAGE}:99999/x",
    "control": f"https://{STORAGE}/\x1b[2J",
    "space": f"https://{STORAGE}/a b",
    "not-ascii": f"https://{STORAGE}/\u00e9",
    "empty": "",
}


def _cookie() -> Site:
    made = to(f"https://{EVIL}/x")()
    made.rules.insert(0, rule(BLOB, response(307, Location=f"https://{EVIL}/x", Set_Cookie="a=b; Domain=example")))
    return made


ASKS = response(401, WWW_Authenticate=f'Bearer realm="https://{STORAGE}/token",scope="x"')

CASES = [
    Case("redirect-blob", "R6", "files are at a storage host with a signed URL", signed(), GETS_IT, hosts=PUBLIC),
    Case("redirect-evil", "R6", "files are at another server", to(f"https://{EVIL}/x"), either(), hosts=AT_EVIL),
    Case("redirect-lookalike", "R6", "files are at a host named like the registry", to(f"https://{SERVER}.{EVIL}/x"), either(), hosts=AT_EVIL | {f"https://{SERVER}.{EVIL}"}),
    Case("redirect-port", "R6", "files are at another port of the registry", to(f"https://{SERVER}:8443/x"), either(), hosts=AT_EVIL | {f"https://{SERVER}:8443"}),
    Case("redirect-no-scheme", "R6", "//evil.example/x", to(f"//{EVIL}/x"), either(), hosts=AT_EVIL),
    Case("redirect-twice", "R6", "to storage and from there to another server", hops(1, (EVIL, STORAGE)), either(), hosts=AT_EVIL),
    Case("redirect-many", "R6", "20 redirects", hops(20), REFUSES, hosts=PUBLIC),
    Case("redirect-loop", "R6", "to itself", to(f"https://{SERVER}/v2/samples/artifact/blobs/{DIGEST}"), REFUSES),
    Case("redirect-303", "R6", "303", to(SIGNED, 303), either(), hosts=PUBLIC),
    Case("redirect-308", "R6", "308", to(SIGNED, 308), either(), hosts=PUBLIC),
    Case("redirect-300", "R6", "300: choose", to(SIGNED, 300), REFUSES, hosts=PUBLIC),
    Case("redirect-long", "R6", "to a URL of 60,000 characters", to(f"https://{STORAGE}/" + "x" * 60_000), either(), hosts=PUBLIC),
    Case("redirect-none", "R6", "to nowhere", lambda: site(None, rule(BLOB, response(307)))),
    Case("redirect-cookie", "R16", "to another server, with a cookie for it", _cookie, either(), hosts=AT_EVIL),
    *(Case(f"redirect-{name}", "R6", f"to {location[:60]}", to(location)) for name, location in INWARD.items()),
    *(Case(f"redirect-near-{name}", "R37", f"to {location[:60]}", to(location)) for name, location in NEAR.items()),
    *(Case(f"redirect-{name}", "R6", f"to {location[:60]!a}", to(location), hosts=PUBLIC if STORAGE in location and 'http:' not in location else ONLY) for name, location in ODD.items()),
    Case("redirect-no-proxy", "R6", "to loopback, which bypasses the proxy", to("https://127.0.0.1:9/x"), variables={"NO_PROXY": "127.0.0.1,localhost,169.254.169.254", "no_proxy": "127.0.0.1,localhost,169.254.169.254"}),
    Case("redirect-no-proxy-name", "R6", "to a name of this machine, which bypasses the proxy", to("https://localhost:9/x"), variables={"NO_PROXY": "localhost", "no_proxy": "localhost"}),
    Case("redirect-signed", "R15", "storage refuses its own signed URL", signed(response(403, b"<Error><Code>AuthenticationFailed</Code></Error>")), hosts=PUBLIC),
    Case("redirect-signed-echo", "R15", "storage refuses, and repeats the URL", signed(response(403, f"<Error><Code>Bad</Code><Url>{SIGNED}</Url></Error>".encode())), hosts=PUBLIC),
    Case("redirect-signed-json", "R15", "storage refuses as a registry does, with the URL", signed(response(404, b'{"errors":[{"code":"X","message":"%s"}]}' % SIGNED.encode())), hosts=PUBLIC),
    Case("redirect-401", "R6", "storage asks for a sign-in", signed(ASKS), hosts=PUBLIC),
    Case("redirect-407", "R6", "storage asks for the proxy's password", signed(response(407, Proxy_Authenticate="Basic")), hosts=PUBLIC),
    Case("redirect-cut", "R15", "storage breaks, each time", signed(Response(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nx", "reset")), hosts=PUBLIC),
    Case("redirect-silence", "R18", "storage says nothing", signed(Response(b"", "hang")), hosts=PUBLIC),
    Case("redirect-poison", "R12", "storage gives other bytes", signed(response(200, b"evil" * 2500)), hosts=PUBLIC),
    Case("redirect-encoded", "R16", "storage compresses", signed(response(200, b"\x1f\x8b", Content_Encoding="gzip")), hosts=PUBLIC),
    Case("redirect-manifest", "R6", "the manifest is elsewhere", lambda: site(None, rule("GET .*/manifests/", response(307, Location=f"https://{EVIL}/m")))),
    Case("redirect-list", "R9", "the list is elsewhere", lambda: site(None, rule("GET .*/(tags|_manifests|_tags)", response(307, Location=f"https://{EVIL}/m"))), command="list"),
    Case("redirect-delete", "R7", "a deletion is redirected elsewhere", lambda: site(None, rule("DELETE ", response(307, Location=f"https://{EVIL}/m"))), command="delete"),
    Case("redirect-tag", "R7", "a tag is redirected elsewhere", lambda: site(None, rule("PUT ", response(308, Location=f"https://{EVIL}/m"))), command="tag"),
    Case("redirect-update", "R7", "a lock is redirected elsewhere", lambda: site(None, rule("PATCH ", response(307, Location=f"https://{EVIL}/m"))), command="update"),
    Case("redirect-untag", "R7", "a tag's removal is redirected elsewhere", lambda: site(None, rule("DELETE ", response(302, Location=f"https://{EVIL}/m"))), command="untag"),
]  # fmt: skip
