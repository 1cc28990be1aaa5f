"""The handler of each path and method, and the actions that it requires."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from acr_emulator.messages import Response
from acr_emulator.registry import blob_routes, catalog, manifests, metadata, referrers, token_routes, upload_routes
from acr_emulator.registry.call import Call
from acr_emulator.registry.challenge import Need
from acr_emulator.registry.errors import name_invalid, not_found, unsupported
from acr_emulator.registry.names import is_repository

Handler = Callable[[Call], Response]
PULL = Need(("pull",))
PUSH = Need(("push", "pull"))
DELETE = Need(("delete",))
READ_METADATA = Need(("metadata_read",))
WRITE_METADATA = Need(("metadata_write", "metadata_read"))
UNTAG = Need(("delete",))
CATALOG = Need(("*",), "registry")


@dataclass(frozen=True)
class Endpoint:
    """*handler*, if the caller has *need*; None: any known caller. *open*: credentials are not checked."""

    handler: Handler
    need: Need | None = None
    open: bool = False


@dataclass(frozen=True)
class Route:
    """A path and its endpoints by method."""

    path: re.Pattern[str]
    endpoints: dict[str, Endpoint]


def _route(pattern: str, **endpoints: Endpoint) -> Route:
    return Route(re.compile(pattern), endpoints)


_BLOB = Endpoint(blob_routes.get_blob, PULL)
_MANIFEST = Endpoint(manifests.read_manifest, PULL)
_NAME, _KEY = r"(?P<name>.+)", r"(?P<key>[^/]+)"
ROUTES = [
    _route(r"/oauth2/exchange", POST=Endpoint(token_routes.exchange, open=True)),
    _route(
        r"/oauth2/token",
        POST=Endpoint(token_routes.token_by_post, open=True),
        GET=Endpoint(token_routes.token_by_get, open=True),
    ),
    _route(r"/v2/?", GET=Endpoint(catalog.base), HEAD=Endpoint(catalog.base)),
    _route(r"/v2/_catalog|/acr/v1/_catalog", GET=Endpoint(catalog.list_repositories, CATALOG)),
    _route(rf"/v2/{_NAME}/tags/list", GET=Endpoint(catalog.list_tags, READ_METADATA)),
    _route(
        rf"/v2/{_NAME}/manifests/{_KEY}",
        GET=_MANIFEST,
        HEAD=_MANIFEST,
        PUT=Endpoint(manifests.put_manifest, PUSH),
        DELETE=Endpoint(manifests.delete_manifest, DELETE),
    ),
    _route(rf"/v2/{_NAME}/referrers/{_KEY}", GET=Endpoint(referrers.list_referrers, PULL)),
    _route(rf"/v2/{_NAME}/blobs/uploads/?", POST=Endpoint(upload_routes.start_upload, PUSH)),
    _route(
        rf"/v2/{_NAME}/blobs/uploads/{_KEY}",
        PATCH=Endpoint(upload_routes.add_chunk, PUSH),
        PUT=Endpoint(upload_routes.finish_upload, PUSH),
        GET=Endpoint(upload_routes.upload_status, PUSH),
        DELETE=Endpoint(upload_routes.cancel_upload, PUSH),
    ),
    _route(
        rf"/v2/{_NAME}/blobs/{_KEY}",
        GET=_BLOB,
        HEAD=Endpoint(blob_routes.head_blob, PULL),
        DELETE=Endpoint(blob_routes.delete_blob, DELETE),
    ),
    _route(rf"/acr/v1/{_NAME}/_tags", GET=Endpoint(metadata.list_tags, READ_METADATA)),
    _route(
        rf"/acr/v1/{_NAME}/_tags/{_KEY}",
        GET=Endpoint(metadata.show_tag, READ_METADATA),
        PATCH=Endpoint(metadata.update_tag, WRITE_METADATA),
        DELETE=Endpoint(metadata.untag, UNTAG),
    ),
    _route(rf"/acr/v1/{_NAME}/_manifests", GET=Endpoint(metadata.list_manifests, READ_METADATA)),
    _route(
        rf"/acr/v1/{_NAME}/_manifests/{_KEY}",
        GET=Endpoint(metadata.show_manifest, READ_METADATA),
        PATCH=Endpoint(metadata.update_manifest, WRITE_METADATA),
    ),
    _route(
        rf"/acr/v1/{_NAME}",
        GET=Endpoint(metadata.show_repository, READ_METADATA),
        PATCH=Endpoint(metadata.update_repository, WRITE_METADATA),
        DELETE=Endpoint(metadata.delete_repository, DELETE),
    ),
]


def resolve(call: Call) -> Endpoint:
    """Return the endpoint for *call* and set its name and key; raise 404, 405 or NAME_INVALID."""
    for route in ROUTES:
        match = route.path.fullmatch(call.request.path)
        if match is not None:
            call.name = match.groupdict().get("name", "catalog" if "_catalog" in call.request.path else "")
            call.key = match.groupdict().get("key", "")
            return _endpoint(route, call)
    raise not_found()


def _endpoint(route: Route, call: Call) -> Endpoint:
    if "name" in route.path.groupindex and not is_repository(call.name):
        raise name_invalid(call.name)
    if call.request.method not in route.endpoints:
        raise unsupported()
    return route.endpoints[call.request.method]
