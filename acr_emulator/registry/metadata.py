"""`/acr/v1`: metadata of repositories, tags and manifests; locks; untag; deletion of a repository.

https://learn.microsoft.com/rest/api/containerregistry/; locks:
https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from urllib.parse import quote

from acr_emulator.messages import BadRequest, Response, json_response
from acr_emulator.registry import shapes
from acr_emulator.registry.call import Call
from acr_emulator.registry.errors import DELETIONS_LEFT, RegistryError, disallowed, manifest_unknown, tag_unknown
from acr_emulator.registry.paging import ordered, page_of
from acr_emulator.registry.records import Attributes, Manifest, Repository, Tag, all_deletable

_LOCKS = {"deleteEnabled", "writeEnabled", "readEnabled", "listEnabled"}
_NAME, _DIGEST, _UPDATED = attrgetter("name"), attrgetter("digest"), attrgetter("updated")


def show_repository(call: Call) -> Response:
    """Handle GET /acr/v1/{name}."""
    with call.state.lock:
        return json_response(200, shapes.repository(call.registry, call.repository("metadata")))


def update_repository(call: Call) -> Response:
    """Handle PATCH /acr/v1/{name}."""
    changes = _changes(call)
    with call.state.lock:
        call.repository("metadata")
        repository = call.repository()
        repository.attributes = replace(repository.attributes, **changes)
        call.state.save_repository(repository)
        return json_response(200, shapes.repository(call.registry, repository))


def delete_repository(call: Call) -> Response:
    """Handle DELETE /acr/v1/{name}: all manifests and tags, unless one is locked."""
    with call.state.lock:
        repository = call.repository()
        if not all_deletable([repository, *repository.manifests.values(), *repository.tags.values()]):
            raise disallowed()
        call.state.remove_repository(call.name)
    removed = {"manifestsDeleted": sorted(repository.manifests), "tagsDeleted": sorted(repository.tags) or None}
    return json_response(202, removed, [DELETIONS_LEFT])


def list_tags(call: Call) -> Response:
    """Handle GET /acr/v1/{name}/_tags, with `digest=` only those of that manifest."""
    page, digest = page_of(call.request, call.world.limits.page_size), call.request.param("digest")
    with call.state.lock:
        repository = call.repository("metadata")
        tags = [t for t in repository.tags.values() if t.attributes.listEnabled and digest in (None, "", t.digest)]
        chosen, last = page.cut(ordered(page, tags, _NAME, _UPDATED), _NAME)
        body = shapes.within(
            call.registry, repository, tags=shapes.array(call.registry, [shapes.tag(tag) for tag in chosen])
        )
    return json_response(200, body, page.link(_path(call, "_tags"), last, [("digest", digest)] if digest else []))


def show_tag(call: Call) -> Response:
    """Handle GET /acr/v1/{name}/_tags/{tag}."""
    with call.state.lock:
        repository = call.repository("metadata")
        return _tag_response(call, repository, _tag(call, repository))


def update_tag(call: Call) -> Response:
    """Handle PATCH /acr/v1/{name}/_tags/{tag}."""
    changes = _changes(call)
    with call.state.lock:
        _tag(call, call.repository("metadata"))
        repository = call.repository()
        tag = _tag(call, repository)
        tag.attributes = replace(tag.attributes, **changes)
        call.state.save_tag(call.name, tag)
        return _tag_response(call, repository, tag)


def untag(call: Call) -> Response:
    """Handle DELETE /acr/v1/{name}/_tags/{tag}: the manifest stays."""
    with call.state.lock:
        repository = call.repository()
        if not all_deletable([repository, _tag(call, repository)]):
            raise disallowed()
        call.state.remove_tag(call.name, call.key)
    return Response(202)


def list_manifests(call: Call) -> Response:
    """Handle GET /acr/v1/{name}/_manifests."""
    page = page_of(call.request, call.world.limits.page_size)
    with call.state.lock:
        repository = call.repository("metadata")
        listed = [m for m in repository.manifests.values() if m.attributes.listEnabled]
        chosen, last = page.cut(ordered(page, listed, _DIGEST, _UPDATED), _DIGEST)
        items = [shapes.manifest(manifest, repository.tags_of(manifest.digest)) for manifest in chosen]
        body = shapes.within(call.registry, repository, manifests=shapes.array(call.registry, items))
    return json_response(200, body, page.link(_path(call, "_manifests"), last))


def show_manifest(call: Call) -> Response:
    """Handle GET /acr/v1/{name}/_manifests/{digest}."""
    with call.state.lock:
        repository = call.repository("metadata")
        return _manifest_response(call, repository, _manifest(call, repository))


def update_manifest(call: Call) -> Response:
    """Handle PATCH /acr/v1/{name}/_manifests/{digest}."""
    changes = _changes(call)
    with call.state.lock:
        _manifest(call, call.repository("metadata"))
        repository = call.repository()
        manifest = _manifest(call, repository)
        manifest.attributes = replace(manifest.attributes, **changes)
        call.state.save_manifest(call.name, manifest)
        return _manifest_response(call, repository, manifest)


def _tag(call: Call, repository: Repository) -> Tag:
    tag = repository.tags.get(call.key)
    if tag is None:
        raise tag_unknown()
    return tag


def _manifest(call: Call, repository: Repository) -> Manifest:
    manifest = repository.manifests.get(call.key)
    if manifest is None:
        raise manifest_unknown(call.name, call.key)
    return manifest


def _tag_response(call: Call, repository: Repository, tag: Tag) -> Response:
    return json_response(200, shapes.within(call.registry, repository, tag=shapes.tag(tag)))


def _manifest_response(call: Call, repository: Repository, manifest: Manifest) -> Response:
    shape = shapes.manifest(manifest, repository.tags_of(manifest.digest), references=True)
    return json_response(200, shapes.within(call.registry, repository, manifest=shape))


def _changes(call: Call) -> dict[str, bool]:
    try:
        body = call.request.json()
    except BadRequest as error:
        raise _bad_attributes() from error
    if not isinstance(body, dict) or not body or not set(body) <= _LOCKS:
        raise _bad_attributes()
    if not all(isinstance(value, bool) for value in body.values()):
        raise _bad_attributes()
    return body


def _bad_attributes() -> RegistryError:
    names = ", ".join(sorted(vars(Attributes())))
    return RegistryError(400, "UNSUPPORTED", f"the body must have booleans named {names}")


def _path(call: Call, kind: str) -> str:
    return f"/acr/v1/{quote(call.name, safe='')}/{kind}"
