"""Lists, properties and referrers, and how they are printed (R9, R10, R14)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.hostile.case import EITHER, REFUSES, SUCCEEDS, Case, Command, either
from tests.hostile.names import EVIL, METADATA, REPOSITORY, SERVER, TAG
from tests.hostile.site import (
    GOOD,
    INDEX,
    MANIFEST,
    NO_DIGEST,
    Json,
    Site,
    as_json,
    digest_of,
    error,
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
from tests.hostile.wire import Response, Sent

LIST = r"GET .*/(tags/list|_manifests)$"
CATALOG = r"GET .*/_catalog$"
REFERRERS = r"GET .*/referrers/"
TEXTS = {
    "ansi": "\x1b]0;owned\x07\x1b[2J",
    "newline": "ok\nERROR: forged",
    "bidi": "a\u202egpj.exe",
    "c1": "a\x9b2J",
    "pipeline": "##vso[task.setvariable variable=PATH]evil",
    "pipeline-line": "x\n##[error]evil\n::error::evil",
    "surrogate": "\ud800",
    "long": "x" * 100_000,
}
LINKS = {
    "evil": f"https://{EVIL}/v2/x/tags/list?n=1",
    "http": f"http://{SERVER}/v2/x/tags/list",
    "port": f"https://{SERVER}:8443/x",
    "no-scheme": f"//{EVIL}/x",
    "metadata": f"http://{METADATA}/latest/",
    "user": f"https://{SERVER}@{EVIL}/x",
    "broken": "https://[::1",
}


def entries(site_: Site, sent: Sent, count: int = 1) -> Json:
    """Return a good page of the list that *sent* asks for, with *count* repositories."""
    if "_manifests" in sent.path:
        return {"manifests": [site_.manifest_properties()]}
    if "_catalog" in sent.path:
        return {"repositories": [REPOSITORY] * count}
    return index([]) if "referrers" in sent.path else {"name": REPOSITORY, "tags": site_.tags}


def linked(match: str, location: str | Callable[[Sent], str], count: int = 1) -> Callable[[], Site]:
    """Return a maker of a registry whose lists have their next page at *location*."""

    def play(made: Site, sent: Sent) -> Response:
        link = location if isinstance(location, str) else location(sent)
        kind = INDEX if "referrers" in sent.path else "application/json"
        return as_json(entries(made, sent, count), Link=f'<{link}>; rel="next"', Content_Type=kind)

    return lambda: site(None, rule(match, play))


def counted() -> Callable[[Sent], str]:
    """Return a link to another page each time, without end."""
    numbers = itertools.count()
    return lambda sent: f"{sent.path}?n=1&last={next(numbers)}"


@variant
def shown(made: Site, text: str) -> None:
    """Make a registry all of whose texts are *text*: tags, times, types, annotations, names."""
    notes = {"note": text, text[:500]: "note", "org.opencontainers.image.created": text}
    layer = made.add(GOOD, text, annotations={"org.opencontainers.image.title": "a.txt", "note": text})
    made.put(manifest([layer], artifactType=text, annotations=notes))
    made.tags = [TAG, text]
    child = {"mediaType": MANIFEST, "digest": made.digest, "size": 1, "artifactType": text, "annotations": notes}
    made.referrers = [child]
    texts = {
        "createdTime": text,
        "lastUpdateTime": text,
        "mediaType": text,
        "configMediaType": text,
        "imageSize": text,
    }
    locks = {"changeableAttributes": {"writeEnabled": text, text: text}}

    def manifests(at: Site, sent: Sent) -> Response:
        listed = {"manifests": [{**at.manifest_properties(), **texts, **locks}]}
        return as_json(listed)

    def tag(at: Site, sent: Sent) -> Response:
        return as_json({"tag": {**at.tag_properties(text), **texts, **locks, "signed": text}})

    made.rules += [rule(r"GET .*/_manifests$", manifests), rule(r"GET .*/_tags/", tag)]
    made.rules.append(rule(CATALOG, as_json({"repositories": [text, REPOSITORY]})))


def referred(children: Callable[[Site, str], list[Json]]) -> Callable[[], Site]:
    """Return a maker of a registry in which *children* refer to a digest."""

    def play(made: Site, sent: Sent) -> Response:
        return as_json(index(children(made, sent.path.rpartition("/")[2])), Content_Type=INDEX)

    return lambda: site(None, rule(REFERRERS, play))


def child_of(name: str, **more: Any) -> Json:
    """Return a descriptor of an artifact that refers to *name*."""
    return {"mediaType": MANIFEST, "digest": digest_of(name.encode()), "size": 9, "artifactType": "a/b", **more}


def _pulled_referrer() -> Site:
    """Return a registry whose list names a referrer that does not refer to the artifact."""
    made = site()
    evil = made.put(manifest([made.add(b"evil", **titled("a.txt"))]), "evil")
    made.referrers = [{**evil, "artifactType": "application/vnd.example.sbom"}]
    return made


ODD: dict[str, tuple[str, Response]] = {
    "null": ("null", response(200, b"null", Content_Type="application/json")),
    "text": ("a text", as_json("x")),
    "entries-null": ("null where a list should be", as_json({"manifests": None, "tags": None})),
    "entries-object": ("an object where a list should be", as_json({"manifests": {"a": 1}, "tags": {"a": 1}})),
    "entries-texts": ("texts where manifests should be", as_json({"manifests": ["a"], "tags": [1, {}]})),
    "digest": ("digests that are paths", as_json({"manifests": [{"digest": "sha256:../../x"}], "tags": ["../../x"]})),
    "deep": ("100,000 brackets", response(200, b"[" * 100_000)),
    "html": ("a page of a captive portal", response(200, b"<html>Sign in</html>")),
    "not-utf8": ("bytes that are no text", response(200, b'{"tags":["\xff"],"manifests":[{"digest":"\xff"}]}')),
    "error-ansi": ("an error that is a terminal command", error(403, "DENIED", "\x1b[2J\n##vso[task.complete]")),
    "error-huge": ("an error of 8 MiB", error(400, "X", "x" * (8 << 20))),
    "huge": (
        "a list without end",
        unending(
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"tags":["a"',
            b',"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"' * 2000,
        ),
    ),
    "503": ("503, with Retry-After: 0", response(503, Retry_After="0")),
    "silence": ("silence, without end", Response(b"", "hang")),
}
COMMANDS: dict[str, tuple[Command, str]] = {"tags": ("list", LIST), "catalog": ("repositories", CATALOG)}
NO_TAGS = {"github": "::error::owned", "pipeline": "##vso[task.complete]", "path": "../..", "long": "x" * 5000}
NAMING: tuple[Command, ...] = ("list", "list-table")
IN_LINES: tuple[Command, ...] = ("list-table", "referrers", "show-table")
SHOWING: tuple[Command, ...] = ("list", "list-table", "repositories", "show", "referrers", "pull")

ONE_SECOND = {"AZURE_ACRARTIFACT_STALL_TIMEOUT": "1"}
PAGES: dict[str, tuple[str, tuple[int, bool, float], dict[str, str]]] = {
    "empty": ("all empty", (0, False, 0.0), {}),
    "repeated": ("with the same entries", (4, False, 0.0), {}),
    "slow-empty": ("empty and slow", (0, False, 0.8), ONE_SECOND),
    "slow-new": ("slow, with one new entry each", (1, True, 0.8), ONE_SECOND),
}

CASES = [
    *(
        Case(f"{name}-link-{link}", "R9", f"the next page is at {location[:50]}", linked(match, location), command=command)
        for name, (command, match) in {**COMMANDS, "referrers": ("referrers", REFERRERS)}.items()
        for link, location in LINKS.items()
        if name != "catalog" or link in ("evil", "http")
    ),
    *(
        Case(f"{name}-endless", "R9", "pages without end", lambda match=match: linked(match, counted())(), command=command)
        for name, (command, match) in {**COMMANDS, "referrers": ("referrers", REFERRERS)}.items()
    ),
    *(
        Case(f"{name}-self", "R9", "the next page is this one", linked(match, lambda sent: sent.target), command=command)
        for name, (command, match) in {**COMMANDS, "referrers": ("referrers", REFERRERS)}.items()
    ),
    *(Case(f"tags-{name}", "R9", f"the list is {does}", on(LIST, play), EITHER if name in ("entries-null", "entries-texts", "digest") else REFUSES, command="list") for name, (does, play) in ODD.items()),
    *(Case(f"referrers-{name}", "R10", f"the list is {does}", on(REFERRERS, play), command="referrers") for name, (does, play) in ODD.items() if name not in ("silence", "digest")),
    *(
        Case(f"{command}-{name}", "R14", f"every text is {text[:40]!a}", shown(text), either() if command == "pull" else EITHER, command=command)
        for command in SHOWING
        for name, text in TEXTS.items()
        if name in ("ansi", "pipeline-line", "bidi", "surrogate") or command in ("list", "show")
    ),
    Case("referrers-cycle", "R10", "a manifest that refers to itself", referred(lambda made, name: [child_of("one")]), EITHER, command="referrers"),
    Case("referrers-chain", "R10", "referrers of referrers, without end", referred(lambda made, name: [child_of(name)]), command="referrers"),
    Case("referrers-wide", "R10", "300 referrers, each with 300", referred(lambda made, name: [child_of(f"{name}{number}") for number in range(300)]), command="referrers"),
    Case("referrers-many", "R10", "30,000 referrers in one page", referred(lambda made, name: [child_of(f"{name}{number}") for number in range(30_000)]), command="referrers"),
    Case("referrers-digest", "R12", "digests that are paths", referred(lambda made, name: [child_of("x", digest="sha256:../../x")]), command="referrers"),
    Case("referrers-type", "R13", "the list is announced as a manifest", on(REFERRERS, as_json(index([]), Content_Type=MANIFEST)), command="referrers"),
    Case("referrers-other", "R10", "a listed referrer does not refer to it", _pulled_referrer, command="pull-referrer", ours_only=True),
    Case("referrers-subject", "R12", "the subject's digest is no digest", lambda: site(None, rule("(HEAD|GET) .*/manifests/", response(200, b"{}", Content_Type=INDEX, Docker_Content_Digest="../../x"))), command="referrers"),
    Case("show-other-digest", "R12", "the manifest does not match its header", on("GET .*/manifests/", response(200, b"{}", Content_Type=INDEX, Docker_Content_Digest=NO_DIGEST)), command="show"),
    Case("show-properties-null", "R13", "the properties are null", on("GET .*/_tags", as_json({"tag": None, "tags": None})), command="show", ours_only=True),
    Case("show-properties-deep", "R13", "the properties are 100,000 brackets", on("GET .*/_tags/", response(200, b'{"tag":' + b"[" * 100_000)), command="show", ours_only=True),
    Case("raw-ansi", "R12", "raw bytes that do not match the digest", on("GET .*/manifests/", response(200, b"\x1b[2J", Content_Type=INDEX, Docker_Content_Digest=NO_DIGEST)), command="raw"),
    Case("tags-size", "R13", "a size of 4,000 digits", on(LIST, lambda made, sent: response(200, json.dumps({"manifests": [{**made.manifest_properties(), "imageSize": 7}], "tags": []}).encode().replace(b": 7", b": " + b"7" * 4000))), EITHER, command="list-table"),
    Case("tags-dense", "R11", "4 MiB of empty objects", on(LIST, response(200, b'{"manifests":[' + b'{"":0},' * 590_000 + b'{}],"tags":[]}')), EITHER, command="list"),
    Case("tags-long", "R9", "pages of 3 MiB, without end", lambda: _long_pages(3000, 1000), command="list"),
    Case("tags-short", "R9", "pages of 20,000 small entries, without end", lambda: _long_pages(1, 20_000), command="list"),
    *(Case(f"ok-{command}", "R20", "a good registry", site, SUCCEEDS, command=command) for command in ("list", "list-table", "repositories", "referrers", "show", "raw")),
    Case("tags-most", "R38", "as many manifests as are read, with all that is shown", lambda: _longest_list(1), EITHER, command="list", ours_only=True),
    Case("tags-most-table", "R38", "as many manifests as are read, with all that is shown", lambda: _longest_list(1), EITHER, command="list-table", ours_only=True),
    Case("tags-most-text", "R38", "as many manifests as are read, with long types", lambda: _longest_list(1, text=120), EITHER, command="list", ours_only=True),
    Case("tags-too-many", "R38", "more manifests than are read", lambda: _longest_list(1, most=90_000), command="list", ours_only=True),
    Case("repositories-many", "R38", "a million repositories", lambda: linked(CATALOG, counted(), 100_000)(), command="repositories", ours_only=True),
    Case("tags-many-each", "R38", "manifests with 1,000 tags each", lambda: _longest_list(1000), EITHER, command="list", ours_only=True),
    Case("tags-attributes", "R38", "manifests with 1,000 attributes each", lambda: _longest_list(1, 1000), EITHER, command="list", ours_only=True),
    *(Case(f"{command}-tag-{name}", "R33", f"a tag is {tag!a}", lambda tag=tag: _with_tag(tag), command=command, ours_only=True) for command in NAMING for name, tag in NO_TAGS.items()),
    *(Case(f"repositories-name-{name}", "R33", f"a repository is {tag!a}", on(CATALOG, as_json({"repositories": [tag]})), command="repositories") for name, tag in NO_TAGS.items()),
    *(Case(f"{command}-middle", "R33", "the middle of each text is a command of a pipeline", shown("x" * 61 + "::error::" + "y" * 12 + "::error::owned"), EITHER, command=command) for command in IN_LINES),
    Case("pull-type-long", "R35", "a media type of 300,000 characters", lambda: _with_type("/+json" * 50_000 + "x"), arguments=("--media-type", "*/*+json"), ours_only=True),
    Case("purge-tag-long", "R35", "a tag of 300,000 characters", lambda: _with_tag("-dev-" * 60_000), command="purge-filter", ours_only=True),
    Case("purge-tags-slow", "R35", "8,000 tags that almost match", lambda: _almost(8_000), SUCCEEDS, command="purge-filter", ours_only=True),
    *(
        Case(f"{name}-{kind}-pages", "R28", f"pages without end, {does}", lambda match=match, make=make: _paged(match, *make), command=command, variables=variables)
        for name, (command, match) in {**COMMANDS, "referrers": ("referrers", REFERRERS)}.items()
        for kind, (does, make, variables) in PAGES.items()
    ),
]  # fmt: skip


def _paged(match: str, each: int, is_new: bool, delay: float) -> Site:
    """Return a registry whose list has endless pages of *each* entries, *delay* seconds each."""
    number = itertools.count()

    def play(made: Site, sent: Sent) -> Response:
        page = next(number)
        first = page * each if is_new else page % 3  # repeated, but each page in another order
        names = [f"{first + one:064x}" for one in range(each)]
        found = [{"digest": f"sha256:{name}", "mediaType": MANIFEST, "size": 1} for name in names]
        listed = (
            index(found) if "referrers" in sent.path else {"manifests": found, "tags": names, "repositories": names}
        )
        kind = INDEX if "referrers" in sent.path else "application/json"
        sending = as_json(listed, Link=f'<{sent.path}?n=1&last={page}>; rel="next"', Content_Type=kind)
        return replace(sending, delay=delay)

    return site(None, rule(match, play))


def _long_pages(note: int, each: int) -> Site:
    """Return a registry with endless pages of *each* manifests with *note* characters."""
    number = itertools.count()

    def play(made: Site, sent: Sent) -> Response:
        more = {"note": "x" * note, "configMediaType": "a/b"}
        found = [{"digest": f"sha256:{next(number):064x}", **more} for _ in range(each)]
        link = f'<{sent.path}?n=1&last={next(number)}>; rel="next"'
        return as_json({"manifests": found, "tags": [item["digest"][7:] for item in found]}, Link=link)

    return site(None, rule(LIST, play))


def _with_tag(tag: str) -> Site:
    made = site()
    made.tags = [TAG, tag]
    return made


def _with_type(media_type: str) -> Site:
    made = site()
    made.put(manifest([made.add(GOOD, media_type, **titled("a.txt"))]))
    return made


def _almost(count: int) -> Site:
    """Return a registry with tags on which a regular expression with two `.*` tries thousands of ways."""
    made = site()
    made.tags = [f"{number:05}" + "-dev-" * 24 for number in range(count)]
    return made


def _longest_list(tags: int, attributes: int = 4, most: int = 39_000, text: int = 1) -> Site:
    """Return a registry with a list of at most *most* manifests and 31 MiB, with *tags*, *attributes* and *text* each."""
    number = itertools.count()
    made = site()
    shape = {
        **made.manifest_properties(),
        "configMediaType": f"a/{'b' * text}",
        "tags": [f"t{one}" for one in range(tags)],
    }
    shape["changeableAttributes"] = {f"a{one}": True for one in range(attributes)}
    each = len(json.dumps({**shape, "digest": NO_DIGEST})) + 2
    count = min(most, (31 << 20) // each)

    def play(at: Site, sent: Sent) -> Response:
        page = [{**shape, "digest": f"sha256:{next(number):064x}"} for _ in range(min(3_900_000 // each, count))]
        left = count - int(page[-1]["digest"][7:], 16)
        more = {} if left < len(page) else {"Link": f'<{sent.path}?n=1&last={left}>; rel="next"'}
        return as_json({"manifests": page}, **more)

    return site(None, rule(LIST, play))
