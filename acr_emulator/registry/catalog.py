"""Lists of repositories and of a repository's tags (OCI distribution specification §Listing Tags, and the catalog
inherited from Docker)."""

from __future__ import annotations

from acr_emulator.messages import Response, json_response
from acr_emulator.registry.call import Call
from acr_emulator.registry.paging import page_of
from acr_emulator.registry.records import listed_names
from acr_emulator.registry.shapes import array


def base(_call: Call) -> Response:
    """Handle GET /v2/: the API exists, and the credentials are valid."""
    return json_response(200, {})


def list_repositories(call: Call) -> Response:
    """Handle GET /v2/_catalog and GET /acr/v1/_catalog."""
    page = page_of(call.request, call.world.limits.page_size)
    with call.state.lock:
        names, last = page.cut(listed_names(call.state.seen("metadata").values()), str)
    return json_response(200, {"repositories": array(call.registry, names)}, page.link(call.request.path, last))


def list_tags(call: Call) -> Response:
    """Handle GET /v2/{name}/tags/list, in lexical order. It needs `metadata_read`, not `pull` (Azure/acr#690)."""
    page = page_of(call.request, call.world.limits.page_size)
    with call.state.lock:
        tags = call.repository("metadata").tags.values()
        names = sorted(tag.name for tag in tags if tag.attributes.listEnabled)
    names, last = page.cut(names, str)
    body = {"name": call.name, "tags": array(call.registry, names)}
    return json_response(200, body, page.link(f"/v2/{call.name}/tags/list", last))
