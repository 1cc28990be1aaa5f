"""`/acr/v1`: what ACR knows of repositories, tags and manifests; locks; untag; deleting a repository.

https://learn.microsoft.com/rest/api/containerregistry/, and its locks as documented in
https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from acr_emulator.messages import BadRequest, Response, json_response
from acr_emulator.registry import shapes
from acr_emulator.registry.call import Call
from acr_emulator.registry.errors import RegistryError, disallowed, manifest_unknown, tag_unknown
from acr_emulator.registry.paging import ordered, page_of
from acr_emulator.registry.records import Attributes, Manifest, Tag, all_deletable

_LOCKS = {"deleteEnabled", "writeEnabled", "readEnabled", "listEnabled"}


def show_repository(call: Call) -> Response:
    """GET /acr/v1/{name}."""
    with call.state.lock:
        return json_response(200, shapes.repository(call.registry, call.repository()))


def update_repository(call: Call) -> Response:
    """PATCH /acr/v1/{name}."""
    changes = _changes(call)
    with call.state.lock:
        repository = call.repository()
        repository.attributes = replace(repository.attributes, **changes)
        call.state.save_repository(repository)
        return json_response(200, shapes.repository(call.registry, repository))


def delete_repository(call: Call) -> Response:
    """DELETE /acr/v1/{name}: all manifests and tags, unless one is locked."""
    with call.state.lock:
        repository = call.repository()
        if not all_deletable([repository, *repository.manifests.values(), *repository.tags.values()]):
            raise disallowed()
        call.state.remove_repository(call.name)
    gone = {"manifestsDeleted": sorted(repository.manifests), "tagsDeleted": sorted(repository.tags)}
    return json_response(202, gone)


def list_tags(call: Call) -> Response:
    """GET /acr/v1/{name}/_tags, with `digest=` only those on that manifest."""
    page, digest = page_of(call.request, call.world.limits.page_size), call.request.param("digest")
    with call.state.lock:
        repository = call.repository()
        tags = [t for t in repository.tags.values() if t.attributes.listEnabled and digest in (None, "", t.digest)]
        chosen, last = page.cut(ordered(page, tags, _tag_name, _tag_time), _tag_name)
        body = shapes.within(call.registry, repository, tags=[shapes.tag(tag) for tag in chosen])
    return json_response(200, body, page.link(_path(call, "_tags"), last, [("digest", digest)] if digest else []))


def show_tag(call: Call) -> Response:
    """GET /acr/v1/{name}/_tags/{tag}."""
    with call.state.lock:
        return _tag_response(call, _tag(call))


def update_tag(call: Call) -> Response:
    """PATCH /acr/v1/{name}/_tags/{tag}."""
    changes = _changes(call)
    with call.state.lock:
        tag = _tag(call)
        tag.attributes = replace(tag.attributes, **changes)
        call.state.save_tag(call.name, tag)
        return _tag_response(call, tag)


def untag(call: Call) -> Response:
    """DELETE /acr/v1/{name}/_tags/{tag}: the manifest stays."""
    with call.state.lock:
        if not all_deletable([call.repository(), _tag(call)]):
            raise disallowed()
        call.state.remove_tag(call.name, call.key)
    return Response(202)


def list_manifests(call: Call) -> Response:
    """GET /acr/v1/{name}/_manifests."""
    page = page_of(call.request, call.world.limits.page_size)
    with call.state.lock:
        repository = call.repository()
        listed = [m for m in repository.manifests.values() if m.attributes.listEnabled]
        chosen, last = page.cut(ordered(page, listed, _digest, _manifest_time), _digest)
        items = [shapes.manifest(manifest, repository.tags_of(manifest.digest)) for manifest in chosen]
        body = shapes.within(call.registry, repository, manifests=items)
    return json_response(200, body, page.link(_path(call, "_manifests"), last))


def show_manifest(call: Call) -> Response:
    """GET /acr/v1/{name}/_manifests/{digest}."""
    with call.state.lock:
        return _manifest_response(call, _manifest(call))


def update_manifest(call: Call) -> Response:
    """PATCH /acr/v1/{name}/_manifests/{digest}."""
    changes = _changes(call)
    with call.state.lock:
        manifest = _manifest(call)
        manifest.attributes = replace(manifest.attributes, **changes)
        call.state.save_manifest(call.name, manifest)
        return _manifest_response(call, manifest)


def _tag(call: Call) -> Tag:
    tag = call.repository().tags.get(call.key)
    if tag is None:
        raise tag_unknown()
    return tag


def _manifest(call: Call) -> Manifest:
    manifest = call.repository().manifests.get(call.key)
    if manifest is None:
        raise manifest_unknown(call.name, call.key)
    return manifest


def _tag_response(call: Call, tag: Tag) -> Response:
    return json_response(200, shapes.within(call.registry, call.repository(), tag=shapes.tag(tag)))


def _manifest_response(call: Call, manifest: Manifest) -> Response:
    repository = call.repository()
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
    return RegistryError(400, "UNSUPPORTED", f"the body must hold booleans named {names}")


def _path(call: Call, kind: str) -> str:
    return f"/acr/v1/{quote(call.name, safe='')}/{kind}"


def _tag_name(tag: Tag) -> str:
    return tag.name


def _tag_time(tag: Tag) -> str:
    return tag.updated


def _digest(manifest: Manifest) -> str:
    return manifest.digest


def _manifest_time(manifest: Manifest) -> str:
    return manifest.updated
