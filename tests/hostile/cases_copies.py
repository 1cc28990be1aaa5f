"""Backups, copies and purges: commands that read more of a registry than one artifact (R6 to R14)."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.hostile.case import EITHER, REFUSES, SUCCEEDS, Case, Command, Right
from tests.hostile.cases_manifests import BODIES, chain, endless, endless_chain
from tests.hostile.names import EVIL, METADATA, STATE, TAG
from tests.hostile.site import (
    GOOD,
    INDEX,
    MANIFEST,
    NO_DIGEST,
    Rule,
    Site,
    as_json,
    error,
    index,
    manifest,
    response,
    rule,
    site,
    titled,
    unending,
    variant,
)
from tests.hostile.wire import Response

BLOB = "GET .*/blobs/sha256"
BEGIN = "POST .*/blobs/uploads/"
MISSING = rule("HEAD .*/released/", response(404))


def ruled(*rules: Rule) -> Callable[[], Site]:
    """Return a maker of a good artifact with *rules*."""
    return lambda: site(None, *rules)


@variant
def _named(made: Site, name: str) -> None:
    """Make an artifact whose texts are paths that lead out: a layout must not use them."""
    notes = {"org.opencontainers.image.ref.name": name, "org.opencontainers.image.title": name}
    made.put(manifest([made.add(GOOD, annotations=notes)], annotations=notes))


@variant
def _tags(made: Site, *tags: str) -> None:
    made.tags = list(tags)


def _lying_child() -> Site:
    """Return an index with a manifest that does not match its descriptor."""
    made = site()
    child = made.put(manifest([made.add(GOOD, **titled("a.txt"))]), "child")
    made.put(index([{**child, "size": 5}, {**child, "digest": NO_DIGEST}]), media_type=INDEX)
    return made


BACKUPS: dict[str, tuple[str, str, Callable[[], Site], Right]] = {
    "blob-wrong": ("R12", "a file has other bytes", ruled(rule(BLOB, response(200, b"e" * len(GOOD)))), REFUSES),
    "blob-endless": ("R11", "a file without end", ruled(rule(BLOB, unending(b"HTTP/1.1 200 OK\r\n\r\n"))), REFUSES),
    "blob-metadata": ("R6", "files are at an inward address", ruled(rule(BLOB, response(307, Location=f"https://{METADATA}/x"))), REFUSES),
    "blob-http": ("R6", "files are at a host without TLS", ruled(rule(BLOB, response(307, Location=f"http://{EVIL}/x"))), REFUSES),
    "blob-silence": ("R18", "no response for a file", ruled(rule(BLOB, Response(b"", "hang"))), REFUSES),
    "manifest-null": ("R13", "the manifest is `null`", ruled(rule("GET .*/manifests/", response(200, BODIES["null"][1], Content_Type=INDEX))), REFUSES),
    "manifest-endless": ("R11", "a manifest without end", endless(), REFUSES),
    "names": ("R1", "its texts are paths that lead out", _named("../../../evil"), EITHER),
    "child": ("R12", "an index whose manifests do not match it", _lying_child, REFUSES),
    "deep": ("R10", "indexes in indexes, 200 deep", chain(200), EITHER),
    "made-up": ("R10", "indexes that are invented on request", endless_chain, REFUSES),
}  # fmt: skip
COPIES: dict[str, tuple[str, str, Callable[[], Site]]] = {
    "location": ("R8", "the upload location is elsewhere", ruled(MISSING, rule(BEGIN, response(202, Location=f"https://{EVIL}/u?_state={STATE}")))),
    "mount-redirect": ("R7", "a mount is redirected elsewhere", ruled(MISSING, rule(BEGIN, response(307, Location=f"https://{EVIL}/u")))),
    "mount-lie": ("R12", "it mounts something else", ruled(MISSING, rule(BEGIN, response(201, Docker_Content_Digest=NO_DIGEST)))),
    "manifest-lie": ("R12", "it stores another manifest", ruled(rule("PUT .*/manifests/", response(201, Docker_Content_Digest=NO_DIGEST)))),
    "manifest-redirect": ("R7", "the manifest is redirected elsewhere", ruled(rule("PUT .*/manifests/", response(307, Location=f"https://{EVIL}/m")))),
    "error-ansi": ("R14", "an error that is a terminal command", ruled(MISSING, rule("POST ", error(400, "\x1b[2J", "\n##vso[task.complete]")))),
    "endless": ("R11", "a manifest without end", endless()),
}  # fmt: skip
LISTS: dict[str, tuple[str, str, Callable[[], Site], Right]] = {
    "ansi": ("R14", "tags that are a terminal command", _tags("1.0", "\x1b[2J", "##vso[a]b", "x\u202e"), EITHER),
    "path": ("R12", "tags that are paths", _tags("../../x", "a/b", "sha256:../x"), EITHER),
    "link": ("R9", "the next page is elsewhere", ruled(rule("GET .*/_tags$", response(200, json.dumps({"tags": []}).encode(), Link=f'<https://{EVIL}/x>; rel="next"'))), REFUSES),
    "null": ("R13", "the list is null", ruled(rule("GET .*/(_tags|_manifests)$", response(200, b"null"))), REFUSES),
    "times": ("R13", "invalid times", ruled(rule("GET .*/_tags$", response(200, b'{"tags":[{"name":"a","digest":"sha256:' + b"0" * 64 + b'","lastUpdateTime":"\\u001b[2J"},{"name":"b","lastUpdateTime":7}]}'))), EITHER),
}  # fmt: skip


def _marked(children: str = "release", *more: str, subject: bool = True) -> Callable[[], Site]:
    """Return a maker of a registry in which somebody with a right to push has put the tag of a list of referrers on an
    index. *children* are a release, or one and a referrer; *more* are other tags of the index. Without *subject*, the
    tag is that of a missing manifest."""

    def make() -> Site:
        made = site(None, rule("GET .*/referrers/", error(404, "NOT_FOUND")))
        tag = (made.digest if subject else NO_DIGEST).replace(":", "-")
        child = made.put(manifest([made.add(GOOD, **titled("release.txt"))]), "release")
        sbom = made.put(manifest([], subject={"mediaType": MANIFEST, "digest": made.digest, "size": 1}), "sbom")
        claimed = [{**one, "artifactType": "a/b"} for one in ([child, sbom] if children == "partly" else [child])]
        marked = made.put(index(claimed), tag, INDEX)
        made.protected = [child["digest"], marked["digest"]]
        tags = {made.digest: [TAG], child["digest"]: [], marked["digest"]: [tag, *more]}

        def properties(digest: str) -> dict[str, object]:
            media_type, raw = made.manifests[digest]
            named = {**made.manifest_properties(), "digest": digest, "tags": tags[digest]}
            return {**named, "mediaType": media_type, "imageSize": len(raw)}

        listed = [{**made.tag_properties(name), "digest": digest} for digest in tags for name in tags[digest]]
        made.rules += [
            rule("GET .*/_manifests$", as_json({"manifests": [properties(digest) for digest in tags]})),
            rule("GET .*/_tags$", as_json({"tags": listed})),
        ]
        return made

    return make


MARKED: dict[str, tuple[str, Callable[[], Site]]] = {
    "release": ("a list's tag is on an index", _marked()),
    "tagged": ("a list's tag is on an index with a tag of its own", _marked("release", "v1")),
    "partly": ("a list names a referrer and a release", _marked("partly")),
    "missing": ("a list's tag is that of a missing manifest", _marked(subject=False)),
}
DELETING: tuple[Command, ...] = ("delete", "purge-untagged")

CASES = [
    *(Case(f"{command}-marked-{name}", "R25", does, make, SUCCEEDS, command=command, ours_only=True) for command in DELETING for name, (does, make) in MARKED.items()),
    *(Case(f"backup-{name}", requirement, does, make, right, command="backup") for name, (requirement, does, make, right) in BACKUPS.items()),
    *(Case(f"copy-{name}", requirement, does, make, command="copy", ours_only=True) for name, (requirement, does, make) in COPIES.items()),
    *(Case(f"purge-{name}", requirement, does, make, right, command="purge", ours_only=True) for name, (requirement, does, make, right) in LISTS.items()),
    *(Case(f"ok-{command}", "R20", "a good registry", site, SUCCEEDS, command=command, ours_only=command != "backup") for command in ("backup", "copy", "purge")),
]  # fmt: skip
