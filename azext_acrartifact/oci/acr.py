"""Azure Container Registry's own metadata API, `/acr/v1` (azure-rest-api-specs, containerregistry 2021-07-01)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..errors import NotFoundError, ProtocolError
from ..transport.authorization import CATALOG, METADATA_READ, METADATA_WRITE, Scope
from ..transport.bounded_json import parse_json
from ..transport.error_responses import error_from
from ..transport.messages import Response
from .api import RegistryApi
from .digest import Digest, parse_digest
from .pages import follow_pages

PAGE_LIMIT = 4 * 1024 * 1024
PAGE_SIZE = 100
MOST_MANIFESTS = 100_000
"""Of one repository; more would take more memory than a command should."""


class AcrMetadata:
    """Times, tags and locks, as `az acr repository` shows them."""

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    def tag(self, repository: str, tag: str) -> dict[str, Any]:
        """The tag's object: name, digest, createdTime, lastUpdateTime, signed, changeableAttributes."""
        return self._one(repository, f"_tags/{quote(tag, safe='')}", "tag", "The tag does not exist")

    def manifest(self, repository: str, digest: Digest) -> dict[str, Any]:
        """The manifest's object: digest, imageSize, times, mediaType, tags (absent when there are none)."""
        return self._one(repository, f"_manifests/{quote(digest, safe=':')}", "manifest", "The manifest does not exist")

    def tags_of(self, repository: str, digest: Digest) -> list[dict[str, Any]]:
        """The objects of all tags of one manifest; each has a name that is text."""
        url = self._url(repository, f"_tags?n={PAGE_SIZE}&orderby=&digest={quote(digest, safe='')}")
        pages = (page for _, page in self._tag_pages(repository, url))
        return [tag for page in pages for tag in page if tag.get("digest") in (digest, None)]

    def tags(self, repository: str) -> Iterator[dict[str, Any]]:
        """All tags' objects, page by page, by name; each has a name that is text and a digest."""
        url = self._url(repository, f"_tags?n={PAGE_SIZE}&orderby=")
        for response, page in self._tag_pages(repository, url):
            yield from _objects(response, page)

    def _tag_pages(self, repository: str, url: str) -> Iterator[tuple[Response, list[dict[str, Any]]]]:
        for response in follow_pages(self._api, Scope.of(repository, METADATA_READ), url, "tags"):
            page = _object(response, "The tags were not listed", "The repository does not exist")
            yield response, _tags(response, page)

    def repository(self, repository: str) -> dict[str, Any]:
        """The repository's object: times, counts, changeableAttributes."""
        response = self._api.send(Scope.of(repository, METADATA_READ), "GET", self._url(repository, ""))
        return _object(response, "The repository's properties were not read", "The repository does not exist")

    def repositories(self) -> Iterator[str]:
        """The names of all repositories, page by page."""
        url = self._api.url(f"/acr/v1/_catalog?n={PAGE_SIZE}")
        for response in follow_pages(self._api, CATALOG, url, "repositories"):
            page = _object(response, "The repositories were not listed", "The registry has no list of repositories")
            yield from _strings(response, page.get("repositories"))

    def manifests(self, repository: str, order: str = "") -> Iterator[dict[str, Any]]:
        """All manifests' objects, page by page, in *order*: by digest, or `timedesc` or `timeasc`."""
        url = self._url(repository, f"_manifests?n={PAGE_SIZE}&orderby={order}")
        listed = 0
        for response in follow_pages(self._api, Scope.of(repository, METADATA_READ), url, "manifests"):
            page = _object(response, "The manifests were not listed", "The repository does not exist")
            for item in _objects(response, page.get("manifests")):
                listed += 1
                if listed > MOST_MANIFESTS:
                    raise ProtocolError(
                        "The list of manifests is too long",
                        where=response.request.where,
                        why=f"more than {MOST_MANIFESTS:,}",
                        hint="Ask for less, with --top where the command has it.",
                    )
                yield item

    def change(self, repository: str, version: str | None, attributes: Mapping[str, bool]) -> dict[str, Any]:
        """Set *attributes*, such as `writeEnabled`, of a tag, of a manifest by its digest, or of the repository; what
        it is then."""
        kind = "" if version is None else "manifest" if ":" in version else "tag"
        path = f"_{kind}s/{quote(version or '', safe=':')}" if kind else ""
        headers = {"Content-Type": "application/json"}
        scope = Scope.of(repository, METADATA_READ, METADATA_WRITE)
        body = json.dumps(dict(attributes)).encode()
        # To set a value twice does no harm.
        url = self._url(repository, path)
        response = self._api.send(scope, "PATCH", url, headers=headers, body=body, repeatable=True)
        found = _object(response, "The attributes were not changed", f"The {kind or 'repository'} does not exist")
        inner = found.get(kind, found)
        return inner if isinstance(inner, dict) else found

    def untag(self, repository: str, tag: str) -> None:
        """Remove the tag alone; raises `NotFoundError` when there is none."""
        url = self._url(repository, f"_tags/{quote(tag, safe='')}")
        response = self._api.send(Scope.of_untagging(repository), "DELETE", url)
        if response.status not in (200, 202, 204):
            raise error_from(response, "The tag was not removed", not_found="The tag does not exist")
        response.close()

    def _one(self, repository: str, path: str, key: str, missing: str) -> dict[str, Any]:
        response = self._api.send(Scope.of(repository, METADATA_READ), "GET", self._url(repository, path))
        found = _object(response, f"The {key}'s properties were not read", missing).get(key)
        if not isinstance(found, dict):
            raise ProtocolError("The registry's answer is not what it should be", where=response.request.where)
        return found

    def _url(self, repository: str, path: str) -> str:
        return self._api.url(f"/acr/v1/{quote(repository)}" + (f"/{path}" if path else ""))


def _strings(response: Response, values: object) -> list[str]:
    found = values or []
    if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
        raise ProtocolError("Not a list of names", where=response.request.where)
    return found


def _objects(response: Response, values: object) -> list[dict[str, Any]]:
    """Manifests or tags of a page; each has a digest that can be trusted in a URL."""
    found = values or []
    if not isinstance(found, list) or not all(isinstance(value, dict) for value in found):
        raise ProtocolError("Not a list of manifests or tags", where=response.request.where)
    for item in found:
        parse_digest(item.get("digest"), response.request.where)
    return found


def _tags(response: Response, page: dict[str, Any]) -> list[dict[str, Any]]:
    """The tags on *page*, each with a name that is text."""
    found = page.get("tags") or []
    if isinstance(found, list) and all(isinstance(tag, dict) and isinstance(tag.get("name"), str) for tag in found):
        return found
    raise ProtocolError(
        "The tags were not listed", where=response.request.where, why="not a list of tags with their names"
    )


def _object(response: Response, what: str, missing: str) -> dict[str, Any]:
    if response.status != 200:
        error = error_from(response, what, not_found=missing)
        if isinstance(error, NotFoundError) and not error.code:
            # ACR always says what is missing; https://distribution.github.io/distribution has no such path.
            raise ProtocolError(
                "The registry is no Azure Container Registry",
                where=response.request.where,
                why="it does not know ACR's own API for tags and times",
            ) from error
        raise error
    try:
        parsed = parse_json(response.content(PAGE_LIMIT))
    except ValueError as error:
        raise ProtocolError(what, where=response.request.where, why="the answer is not JSON") from error
    if not isinstance(parsed, dict):
        raise ProtocolError(what, where=response.request.where, why="the answer is not a JSON object")
    return parsed
