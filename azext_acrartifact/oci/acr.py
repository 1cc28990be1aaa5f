"""Azure Container Registry's own metadata API, `/acr/v1` (azure-rest-api-specs, containerregistry 2021-07-01)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from ..errors import NotFoundError, ProtocolError
from ..transport.answers import error_from
from ..transport.authorization import METADATA_READ, Scope
from ..transport.messages import Response
from .api import RegistryApi
from .digest import Digest
from .pages import follow_pages

PAGE_LIMIT = 16 * 1024 * 1024
PAGE_SIZE = 100


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

    def tags_of(self, repository: str, digest: Digest) -> list[str]:
        """The names of all tags of one manifest."""
        url = self._url(repository, f"_tags?n={PAGE_SIZE}&orderby=&digest={quote(digest, safe='')}")
        names: list[str] = []
        for response in follow_pages(self._api, Scope.of(repository, METADATA_READ), url, "tags"):
            page = _object(response, "The tags were not listed", "The repository does not exist")
            names += [name for name, of in _tags(response, page) if of in (digest, None)]
        return names

    def _one(self, repository: str, path: str, key: str, missing: str) -> dict[str, Any]:
        response = self._api.send(Scope.of(repository, METADATA_READ), "GET", self._url(repository, path))
        found = _object(response, f"The {key}'s properties were not read", missing).get(key)
        if not isinstance(found, dict):
            raise ProtocolError("The registry's answer is not what it should be", where=response.request.where)
        return found

    def _url(self, repository: str, path: str) -> str:
        return self._api.url(f"/acr/v1/{quote(repository)}/{path}")


def _tags(response: Response, page: dict[str, Any]) -> list[tuple[str, object]]:
    """Name and digest of each tag on *page*."""
    try:
        found = [(tag["name"], tag.get("digest")) for tag in page.get("tags") or []]
    except (TypeError, KeyError, AttributeError) as error:
        raise ProtocolError(
            "The tags were not listed", where=response.request.where, why="not a list of tags"
        ) from error
    if not all(isinstance(name, str) for name, _ in found):
        raise ProtocolError("The tags were not listed", where=response.request.where, why="a name is no text")
    return found


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
        parsed = json.loads(response.content(PAGE_LIMIT))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(what, where=response.request.where, why="the answer is not JSON") from error
    if not isinstance(parsed, dict):
        raise ProtocolError(what, where=response.request.where, why="the answer is not a JSON object")
    return parsed
