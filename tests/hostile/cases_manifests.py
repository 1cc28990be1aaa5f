"""Manifests and indexes (R10, R11, R12, R13, R31)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.hostile.case import EITHER, GETS_IT, REFUSES, SUCCEEDS, Case, Right, either
from tests.hostile.names import EVIL, METADATA, TAG
from tests.hostile.site import (
    GOOD,
    INDEX,
    MANIFEST,
    Site,
    digest_of,
    index,
    manifest,
    on,
    response,
    rule,
    site,
    titled,
    unending,
    variant,
)
from tests.hostile.wire import Response

THIS = {"platform": {"os": "linux", "architecture": "amd64"}}


@variant
def raw(made: Site, content: bytes, media_type: str = MANIFEST) -> None:
    """Make an artifact whose manifest is *content*."""
    made.put(content, media_type=media_type)


@variant
def changed(made: Site, **fields: Any) -> None:
    """Make a good manifest with other *fields*; None removes one."""
    good = {**json.loads(made.manifests[TAG][1]), **fields}
    made.put({name: value for name, value in good.items() if value is not None})


@variant
def layered(made: Site, **fields: Any) -> None:
    """Make a good manifest whose file has other *fields* in its descriptor."""
    made.put(manifest([{**made.add(GOOD, **titled("a.txt")), **fields}]))


@variant
def with_text(made: Site, replaced: bytes, by: bytes) -> None:
    """Make a good manifest with one text replaced."""
    made.put(made.manifests[TAG][1].replace(replaced, by))


def with_headers(**headers: str) -> Callable[[], Site]:
    """Return a maker of a good manifest with other headers."""
    return on("GET .*/manifests/", lambda made, sent: response(200, made.manifests[TAG][1], **headers))


def endless(block: bytes = b" " * 65536) -> Callable[[], Site]:
    """Return a maker of a manifest that does not end."""

    start = b"HTTP/1.1 200 OK\r\nContent-Type: " + MANIFEST.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return on("GET .*/manifests/", unending(start, b"%x\r\n%s\r\n" % (len(block), block)))


@variant
def many(made: Site, count: int) -> None:
    """Make an artifact of *count* files, none of which exists."""
    layers = [
        {"mediaType": "t/x", "digest": f"sha256:{number:064x}", "size": 1, **titled(f"{number:06}")}
        for number in range(count)
    ]
    made.put(manifest(layers))


@variant
def chain(made: Site, levels: int) -> None:
    """Make indexes in indexes."""
    below = made.put(manifest([made.add(GOOD, **titled("a.txt"))]), "bottom")
    for level in range(levels):
        below = made.put(index([{**below, **THIS}], annotations={"level": str(level)}), f"level{level}", INDEX)
    made.manifests[TAG] = made.manifests[below["digest"]]


def endless_chain() -> Site:
    """Return a registry that invents each index on request, and lists another one in it: only its digest is a lie."""

    def play(made: Site, sent: Any) -> Response:
        name = sent.path.rpartition("/")[2]
        child = {"mediaType": INDEX, "digest": digest_of(name.encode()), "size": 500, **THIS}
        return response(200, json.dumps(index([child])).encode(), Content_Type=INDEX)

    return site(None, rule("GET .*/manifests/", play))


def cycle() -> Site:
    """Return an index that lists itself, whatever its digest."""
    return site(
        None,
        rule(
            "GET .*/manifests/",
            lambda made, sent: response(
                200,
                json.dumps(index([{"mediaType": INDEX, "digest": f"sha256:{'1' * 64}", "size": 9, **THIS}])).encode(),
                Content_Type=INDEX,
            ),
        ),
    )


def foreign() -> Site:
    """Return a layer that is said to be elsewhere, and is missing here."""
    made = site()
    urls = [f"https://{EVIL}/layer", f"http://{METADATA}/latest/meta-data/", "file:///etc/passwd"]
    made.put(manifest([{**made.add(GOOD, **titled("a.txt")), "urls": urls}]))
    made.blobs.pop(digest_of(GOOD))
    return made


def both() -> Site:
    """Return a document with layers and manifests (CVE-2021-41190)."""
    made = site()
    good = json.loads(made.manifests[TAG][1])
    made.put({**good, "manifests": [{"mediaType": MANIFEST, "digest": made.digest, "size": 9}]})
    return made


def other_by_digest() -> Site:
    """Return a registry that responds to a digest with another, correct and well-formed manifest."""
    made = site()
    evil = made.put(manifest([made.add(b"evil", **titled("a.txt"))]), "evil")
    made.rules.append(
        rule("GET .*/manifests/sha256", lambda made, sent: response(200, made.manifests[evil["digest"]][1], Content_Type=MANIFEST))
    )  # fmt: skip
    return made


BODIES: dict[str, tuple[str, bytes]] = {
    "null": ("`null`", b"null"),
    "empty-object": ("`{}`", b"{}"),
    "list": ("a list", b"[]"),
    "text": ("a text", b'"manifest"'),
    "number": ("a number", b"2"),
    "nothing": ("no byte", b""),
    "html": ("a page of a captive portal", b"<html><body>Sign in to the network</body></html>"),
    "deep": ("100,000 brackets", b"[" * 100_000),
    "digits": ("a number of a million digits", b'{"schemaVersion":' + b"9" * 1_000_000 + b"}"),
    "not-utf8": ("bytes that are no text", b'{"schemaVersion":2,"x":"\xff\xfe"}'),
    "utf16": ("UTF-16", json.dumps(manifest([])).encode("utf-16")),
    "trailing": ("something after its end", json.dumps(manifest([])).encode() + b"{}"),
    "dense": ("4 MiB of small objects", b'{"schemaVersion":2,"layers":[' + b'{"":0},' * 590_000 + b"{}]}"),
    "dense-keys": ("4 MiB of keys", b"{" + b",".join(b'"%x":1' % number for number in range(350_000)) + b"}"),
    "too-large": ("5 MiB", json.dumps(manifest([], annotations={"x": "y" * (5 << 20)})).encode()),
}
FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "no-layers": ("no layers", {"layers": None}),
    "layers-object": ("layers that are an object", {"layers": {"0": {}}}),
    "layers-text": ("layers that are texts", {"layers": ["a", "b"]}),
    "no-config": ("no config", {"config": None}),
    "schema-1": ("schemaVersion 1", {"schemaVersion": 1}),
    "schema-text": ("schemaVersion as text", {"schemaVersion": "2"}),
    "schema-true": ("schemaVersion true", {"schemaVersion": True}),
    "media-type": ("a mediaType other than its Content-Type", {"mediaType": INDEX}),
    "media-type-number": ("a mediaType that is a number", {"mediaType": 7}),
    "annotations-list": ("annotations that are a list", {"annotations": ["a"]}),
    "annotations-numbers": ("annotations that are numbers", {"annotations": {"a": 1}}),
    "type-object": ("an artifactType that is an object", {"artifactType": {"a": 1}}),
    "subject-text": ("a subject that is a text", {"subject": "sha256:1"}),
}
DESCRIPTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "size-negative": ("size -1", {"size": -1}),
    "size-float": ("a size that is not an integer", {"size": 1.5}),
    "size-text": ("a size that is a text", {"size": "10000"}),
    "size-true": ("size true", {"size": True}),
    "size-null": ("size null", {"size": None}),
    "size-2-to-the-64": ("size 2^64", {"size": 1 << 64}),
    "size-huge": ("size 10 TiB", {"size": 10 << 40}),
    "size-too-small": ("a size below the file's", {"size": 10}),
    "size-too-large": ("a size above the file's", {"size": len(GOOD) + 1}),
    "digest-upper-case": ("a digest in capitals", {"digest": digest_of(GOOD).upper()}),
    "digest-short": ("a digest that is too short", {"digest": digest_of(GOOD)[:-2]}),
    "digest-long": ("a digest that is too long", {"digest": digest_of(GOOD) + "00"}),
    "digest-path": ("a digest that is a path", {"digest": "sha256:../../../../v2/other/manifests/1"}),
    "digest-query": ("a digest with a query", {"digest": digest_of(GOOD) + "?x=1"}),
    "digest-newline": ("a digest with a line break", {"digest": digest_of(GOOD) + "\n"}),
    "digest-injection": ("a digest that is a request", {"digest": "sha256:a HTTP/1.1\r\nHost: evil.example\r\n\r\n"}),
    "digest-md5": ("a digest by md5", {"digest": digest_of(GOOD, "md5")}),
    "digest-sha1": ("a digest by sha1", {"digest": digest_of(GOOD, "sha1")}),
    "digest-sha512-wrong": ("a digest by sha512 that is wrong", {"digest": digest_of(b"?", "sha512")}),
    "digest-wrong": ("the digest of something else", {"digest": digest_of(b"?")}),
    "digest-null": ("no digest", {"digest": None}),
    "data-wrong": ("inline data that is something else", {"data": "ZXZpbA=="}),
    "data-broken": ("inline data that is not base64", {"data": "%%%"}),
    "media-type-null": ("no mediaType", {"mediaType": None}),
    "title-number": ("a title that is a number", {"annotations": {"org.opencontainers.image.title": 5}}),
}  # fmt: skip
RIGHT: dict[str, Right] = {
    **dict.fromkeys(("no-config", "annotations-list", "annotations-numbers", "type-object"), GETS_IT),
    "no-layers": SUCCEEDS,
    **dict.fromkeys(("data-wrong", "data-broken", "media-type-null"), either()),
}


def heavy(count: int, *, attached: bool = False, notes: int = 0) -> Callable[[], Site]:
    """Return a maker of an index of *count* manifests of almost 4 MiB, each with blobs of its own; with *notes*, with
    that many annotations instead."""

    def make() -> Site:
        made = site({})
        blob = made.add(GOOD, "t/x")
        children = []
        for number in range(count):
            layers = [{**blob, "digest": f"sha256:{number:02x}{layer:062x}"} for layer in range(0 if notes else 28_000)]
            annotations = {f"{number:x}.{note:x}": "" for note in range(notes)}
            raw = json.dumps(manifest(layers, annotations=annotations), separators=(",", ":")).encode()
            children.append(made.put(raw, f"child{number}"))
        made.put(index(children), media_type=INDEX)
        return made

    return make


CASES = [
    *(Case(f"manifest-{name}", "R13", f"the manifest is {does}", raw(body)) for name, (does, body) in BODIES.items()),
    *(Case(f"manifest-{name}", "R13", f"it has {does}", changed(**f), RIGHT.get(name, REFUSES)) for name, (does, f) in FIELDS.items()),
    *(
        Case(
            f"layer-{name}",
            {"size": "R11", "digest": "R12"}.get(name.partition("-")[0], "R13"),
            f"a file has {does}",
            layered(**fields),
            RIGHT.get(name, REFUSES),
        )
        for name, (does, fields) in DESCRIPTORS.items()
    ),
    Case("layer-size-huge-number", "R11", "a size of 5,000 digits", with_text(b'"size": 10000', b'"size": ' + b"9" * 5000)),
    Case("manifest-nan", "R13", "a size NaN", with_text(b'"size": 2', b'"size": NaN')),
    Case("manifest-infinity", "R13", "a size Infinity", with_text(b'"size": 2', b'"size": Infinity')),
    Case("manifest-keys-twice", "R13", "layers twice", with_text(b'"layers"', b'"layers": [], "layers"')),
    Case("manifest-digest-twice", "R13", "a digest twice", with_text(b'"digest"', b'"digest": "sha256:0", "digest"')),
    Case("manifest-both", "R13", "layers and manifests in one", both),
    Case("manifest-type-lie", "R13", "it is announced as an index", with_headers(Content_Type=INDEX)),
    Case("manifest-type-missing", "R13", "it is announced as nothing", with_headers()),
    Case("manifest-type-html", "R13", "it is announced as text/html", with_headers(Content_Type="text/html")),
    Case("manifest-type-ansi", "R14", "it is announced as a terminal command", with_headers(Content_Type="\x1b[31m##vso[x]y")),
    Case("manifest-header-digest", "R12", "its header names another digest", with_headers(Content_Type=MANIFEST, Docker_Content_Digest=digest_of(b"?"))),
    Case("manifest-header-malformed", "R12", "its header names no digest", with_headers(Content_Type=MANIFEST, Docker_Content_Digest="sha256:\x1b[2J##vso[a]b")),
    Case("manifest-other", "R12", "another artifact in response to a digest", other_by_digest, command="pull-digest"),
    Case("manifest-endless", "R11", "a manifest that does not end", endless()),
    Case("manifest-endless-json", "R11", "a JSON list that does not end", endless(block=b'{"a":1},' * 8192)),
    Case("manifest-length-lie", "R11", "it announces 4 GiB", lambda: site(None, rule("GET .*/manifests/", Response(b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\nContent-Type: x/y\r\n\r\n{}", "close")))),
    Case("manifest-many", "R11", "20,000 files, none of which exists", many(20_000)),
    Case("manifest-foreign", "R6", "a layer that is said to be elsewhere", foreign),
    Case("index-deep", "R10", "40 indexes, each in the next", chain(40), command="pull-index"),
    Case("index-made-up", "R10", "indexes that are invented on request", endless_chain, command="pull-index"),
    Case("index-cycle", "R10", "an index that lists itself", cycle, command="pull-index"),
    Case("index-heavy", "R31", "an index of 8 manifests of 3 MiB", heavy(8), command="backup"),
    Case("index-heavy-copy", "R31", "an index of 8 manifests of 3 MiB", heavy(8), command="copy", ours_only=True),
    Case("index-notes", "R31", "an index of 24 manifests of 3 MiB of annotations", heavy(24, notes=200_000), EITHER, command="backup", slow=True),
    Case("ok-index", "R10", "an index with an artifact for this machine", chain(2), GETS_IT, command="pull-index"),
    Case("ok-unknown-fields", "R13", "a manifest with an unknown field", changed(x={"y": [1, None]}), GETS_IT),
    Case("ok-pull", "R20", "a good artifact", site, GETS_IT),
    Case("ok-pull-digest", "R20", "a good artifact by its digest", site, GETS_IT, command="pull-digest"),
    Case("ok-sha512", "R12", "a file by sha512", lambda: _sha512(), GETS_IT),
]  # fmt: skip


def _sha512() -> Site:
    made = layered(digest=digest_of(GOOD, "sha512"))()
    made.blobs[digest_of(GOOD, "sha512")] = GOOD
    return made
