"""A good registry in memory, and rules that turn it into a hostile one: every case is made of these.

It implements the OCI distribution specification and ACR's own API as far as the commands need them, demands a token
and counts requests. A rule responds in its stead, or lets it respond and changes the response.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.hostile.names import (
    ACCESS_TOKEN,
    PASSWORD,
    REFRESH_TOKEN,
    REPOSITORY,
    SERVER,
    SIGNATURE,
    STATE,
    STORAGE,
    TAG,
    USER,
)
from tests.hostile.wire import Response, Sent

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
TITLE = "org.opencontainers.image.title"
CREATED = "2026-01-02T03:04:05.0000000Z"
NO_DIGEST = f"sha256:{'0' * 64}"

Json = dict[str, Any]
Play = Response | Callable[["Site", Sent], "Response | None"]


@dataclass
class Rule:
    """Requests whose `METHOD ORIGIN/PATH` matches *match* get *play*, *times* times (None: always)."""

    match: str
    play: Play
    times: int | None = None


def rule(match: str, play: Play, times: int | None = None) -> Rule:
    """Return a `Rule`."""
    return Rule(match, play, times)


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """Return the digest of *content*."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def response(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    """Return a well-formed response; underscores in names of *headers* become hyphens. A repeated header replaces
    ours."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): text for name, text in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Response(f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1", "surrogateescape") + body)


def as_json(value: object, status: int = 200, **headers: str) -> Response:
    """Return a JSON response."""
    return response(status, json.dumps(value).encode(), **{"Content_Type": "application/json", **headers})


def error(status: int, code: str, message: str = "", detail: object = None, **headers: str) -> Response:
    """Return an error as registries write it."""
    return as_json({"errors": [{"code": code, "message": message or code, "detail": detail}]}, status, **headers)


def challenge(realm: str = f"https://{SERVER}/oauth2/token", scope: str = f"repository:{REPOSITORY}:pull") -> Response:
    """Return the response to a request without a token."""
    return error(401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="{realm}",service="{SERVER}",scope="{scope}"')


@dataclass
class Site:
    """The registry's content. Requests to other hosts are handled by the rules; without one they get a 404."""

    rules: list[Rule] = field(default_factory=list)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By tag and by digest: media type and bytes."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    referrers: list[Json] = field(default_factory=list)
    sessions: dict[str, bytes] = field(default_factory=dict)
    tags: list[str] = field(default_factory=lambda: [TAG])
    stored: list[str] = field(default_factory=list)
    """Tags and digests under which a manifest was stored."""
    deleted: list[str] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    """Digests of manifests that the command must not delete."""
    certificates: dict[str, str] = field(default_factory=dict)
    """The name in `Authority.contexts` of a host's certificate, if not the good one."""

    def __call__(self, sent: Sent) -> Response:
        line = f"{sent.method} {sent.origin}{sent.path}"
        for candidate in self.rules:
            if candidate.times != 0 and re.search(candidate.match, line):
                played = candidate.play if isinstance(candidate.play, Response) else candidate.play(self, sent)
                if played is not None:
                    candidate.times = None if candidate.times is None else candidate.times - 1
                    return played
        return self.honest(sent)

    def honest(self, sent: Sent) -> Response:
        """Respond as a good registry does."""
        if sent.host == STORAGE:
            return self._stored_blob(sent)
        if sent.host != SERVER or sent.scheme != "https":
            return response(404)
        if sent.path == "/oauth2/token":
            return _token(sent)
        if sent.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete,pull"}.get(sent.method, "pull,push")
            return challenge(scope=f"repository:{REPOSITORY}:{actions}")
        return self._head(sent) if sent.method == "HEAD" else self._respond(sent)

    def add(self, content: bytes, media_type: str = "text/plain", **more: Any) -> Json:
        """Add a blob; return its descriptor."""
        self.blobs[digest_of(content)] = content
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}

    def put(self, manifest: object, name: str = TAG, media_type: str = MANIFEST) -> Json:
        """Add a manifest (bytes, or a value that becomes JSON) as *name*; return its descriptor."""
        raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        self.manifests[name] = self.manifests[digest_of(raw)] = (media_type, raw)
        return {"mediaType": media_type, "digest": digest_of(raw), "size": len(raw)}

    @property
    def digest(self) -> str:
        """The artifact's digest."""
        return digest_of(self.manifests[TAG][1])

    def _head(self, sent: Sent) -> Response:
        full = self._respond(sent)
        assert isinstance(full.raw, bytes)
        return Response(full.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def _respond(self, sent: Sent) -> Response:
        ways: list[tuple[str, Callable[..., Response]]] = [
            (r"/v2/", lambda: as_json({})),
            (r"/v2/.+/manifests/([^/]+)", self._manifest),
            (r"/v2/.+/blobs/uploads/([^/]*)", self._upload),
            (r"/v2/.+/blobs/([^/]+)", self._blob),
            (r"/v2/(.+)/tags/list", self._tags),
            (r"/v2/.+/referrers/([^/]+)", self._referrers),
            (r"/(?:v2|acr/v1)/_catalog", lambda: as_json({"repositories": [REPOSITORY]})),
            (r"/acr/v1/(.+)", self._acr),
        ]
        for pattern, way in ways:
            if found := re.fullmatch(pattern, unquote(sent.path)):
                return way(sent, *found.groups()) if found.groups() else way()
        return error(404, "NAME_UNKNOWN")

    def _manifest(self, sent: Sent, name: str) -> Response:
        if sent.method == "PUT":
            self.stored.append(name)
            digest = self.put(sent.body, name, sent.headers.get("content-type", ""))["digest"]
            return response(201, Docker_Content_Digest=digest, Location=f"/v2/{REPOSITORY}/manifests/{digest}")
        if name not in self.manifests:
            return error(404, "MANIFEST_UNKNOWN")
        if sent.method == "DELETE":
            self.deleted.append(name)
            return response(202)
        media_type, raw = self.manifests[name]
        return response(200, raw, Content_Type=media_type, Docker_Content_Digest=digest_of(raw))

    def _blob(self, sent: Sent, digest: str) -> Response:
        if digest not in self.blobs:
            return error(404, "BLOB_UNKNOWN")
        return ranged(self.blobs[digest], sent)

    def _stored_blob(self, sent: Sent) -> Response:
        if "authorization" in sent.headers or SIGNATURE not in sent.query:
            return response(400, b"<Error><Code>InvalidAuthenticationInfo</Code></Error>")
        content = self.blobs.get(sent.path.rpartition("/")[2])
        return response(404) if content is None else ranged(content, sent)

    def _upload(self, sent: Sent, name: str) -> Response:
        if sent.method == "POST":
            name = f"session-{len(self.sessions)}"
            self.sessions[name] = b""
            return self._accepted(202, name)
        if name not in self.sessions:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        if sent.method == "GET":
            return self._accepted(204, name)
        self.sessions[name] += sent.body
        if sent.method == "PATCH":
            return self._accepted(202, name)
        content = self.sessions.pop(name)
        digest = parse_qs(sent.query).get("digest", [""])[0]
        if digest != digest_of(content):
            return error(400, "DIGEST_INVALID")
        self.blobs[digest] = content
        return response(201, Docker_Content_Digest=digest, Location=f"/v2/{REPOSITORY}/blobs/{digest}")

    def _accepted(self, status: int, name: str) -> Response:
        location = f"/v2/{REPOSITORY}/blobs/uploads/{name}?_state={STATE}"
        headers = {"Location": location, "Range": f"0-{max(0, len(self.sessions[name]) - 1)}"}
        played = response(status, **headers)
        assert isinstance(played.raw, bytes)
        return Response(played.raw.replace(b"Content-Length: 0\r\n", b"")) if status == 204 else played

    def _tags(self, sent: Sent, name: str) -> Response:
        return as_json({"name": name, "tags": self.tags})

    def _referrers(self, sent: Sent, _digest: str) -> Response:
        return as_json(index(self.referrers), Content_Type=INDEX)

    def _acr(self, sent: Sent, path: str) -> Response:
        if sent.method == "DELETE":
            self.deleted.append(path)
            return response(202)
        if found := re.search(r"/_tags/([^/]+)$", path):
            return as_json({"tag": self.tag_properties(found[1])})
        if path.endswith("/_tags"):
            return as_json({"tags": [self.tag_properties(name) for name in self.tags]})
        if path.endswith("/_manifests"):
            return as_json({"manifests": [self.manifest_properties()]})
        if "/_manifests/" in path:
            return as_json({"manifest": self.manifest_properties()})
        return as_json({"imageName": path, "changeableAttributes": {"writeEnabled": True}})

    def tag_properties(self, name: str) -> Json:
        """Return a tag's properties as ACR describes them."""
        locks = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
        times = {"createdTime": CREATED, "lastUpdateTime": CREATED}
        return {"name": name, "digest": self.digest, **times, "signed": False, "changeableAttributes": locks}

    def manifest_properties(self) -> Json:
        """Return the properties of the artifact's manifest as ACR describes them."""
        media_type, raw = self.manifests[TAG]
        properties = {**self.tag_properties(TAG), "imageSize": len(raw), "mediaType": media_type, "tags": self.tags}
        return {name: value for name, value in properties.items() if name not in ("name", "signed")}


def ranged(content: bytes, sent: Sent) -> Response:
    """Return *content*, or the range of it that the request asks for."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", sent.headers.get("range", ""))
    if wanted is None:
        return response(200, content)
    first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
    if first >= len(content):
        return response(416)
    return response(206, content[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(content)}")


def _token(sent: Sent) -> Response:
    form = {name: values[0] for name, values in parse_qs(sent.body.decode()).items()}
    basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    good = (
        sent.headers.get("authorization") == basic
        or (form.get("username"), form.get("password")) == (USER, PASSWORD)
        or form.get("refresh_token") == REFRESH_TOKEN
    )
    return as_json({"access_token": ACCESS_TOKEN}) if good else error(401, "UNAUTHORIZED", "no such user")


def manifest(layers: list[Json], config: Json | None = None, **more: Any) -> Json:
    """Return an image manifest; without *config*, with the empty one."""
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example.hostile",
        "config": config or empty,
        "layers": layers,
        **more,
    }


def index(manifests: list[Json], **more: Any) -> Json:
    """Return an index."""
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, **more}


def titled(title: str, **more: str) -> Mapping[str, Any]:
    """Return a descriptor's annotations with a file name."""
    return {"annotations": {TITLE: title, **more}}


def site(files: Mapping[str, bytes] | None = None, *rules: Rule) -> Site:
    """Return a registry with an artifact of *files*, by default `a.txt`, that applies *rules*."""
    made = Site(list(rules))
    made.add(b"{}")
    present = {"a.txt": GOOD} if files is None else files
    made.put(manifest([made.add(content, **titled(name)) for name, content in present.items()]))
    return made


def on(match: str, *plays: Play, times: int | None = None) -> Callable[[], Site]:
    """Return a maker of good registries that apply *plays*, *times* times each, to requests that match."""
    return lambda: site(None, *(rule(match, play, times) for play in plays))


def unending(start: bytes, block: bytes = b"e" * 65536, pause: float = 0.0) -> Response:
    """Return a response of *start* and then *block* without end."""

    def blocks() -> Iterator[bytes]:
        yield start
        while True:
            yield block

    return Response(blocks, "close", pause)


GOOD = b"the artifact's own bytes\n" * 400
OLDER = b"the user's older file\n"
