"""Azure Container Registry's own metadata API, `/acr/v1` (azure-rest-api-specs, containerregistry 2021-07-01)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..errors import NotFoundError, ProtocolError
from ..transport.authorization import CATALOG, METADATA_READ, METADATA_WRITE, Scope
from ..transport.bounded_json import as_list, parse_json
from ..transport.error_responses import error_from
from ..transport.messages import Response
from .api import RegistryApi
from .digest import Digest, parse_digest
from .mediatypes import is_type_text
from .pages import follow_pages
from .reference import is_repository, is_tag

PAGE_LIMIT = 4 * 1024 * 1024
PAGE_SIZE = 100
MOST_MANIFESTS = 100_000
"""Of one repository; more would take more memory than a command should."""
MOST_REPOSITORIES = 100_000
LISTED = ("digest", "tags", "mediaType", "configMediaType", "imageSize", "createdTime", "lastUpdateTime")
"""Properties of a listed manifest that any command uses, besides its attributes."""
FREE_VALUES = 8
"""Tags and attributes of a manifest; four more count as one more manifest."""
FREE_CHARACTERS = 448
"""Characters of a manifest's properties; 64 more count as one more manifest."""
_NO_REPOSITORY = "The repository does not exist"


class AcrMetadata:
    """Times, tags and locks, as `az acr repository` shows them."""

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    def tag(self, repository: str, tag: str) -> dict[str, Any]:
        """Get a tag's object: name, digest, createdTime, lastUpdateTime, signed, changeableAttributes."""
        return self._one(repository, f"_tags/{quote(tag, safe='')}", "tag")

    def manifest(self, repository: str, digest: Digest) -> dict[str, Any]:
        """Get a manifest's object: digest, imageSize, times, mediaType, and tags (absent when there are none)."""
        return self._one(repository, f"_manifests/{quote(digest, safe=':')}", "manifest")

    def tags_of(self, repository: str, digest: Digest) -> list[dict[str, Any]]:
        """List the objects of all tags of one manifest. Each has a valid name."""
        pages = self._tag_pages(repository, f"&digest={quote(digest, safe='')}")
        return [tag for _, page in pages for tag in page if tag.get("digest") in (digest, None)]

    def tags(self, repository: str, after: str = "") -> Iterator[dict[str, Any]]:
        """Yield all tags' objects by name, or those *after* a name, page by page. Each has a valid name and digest."""
        for response, page in self._tag_pages(repository, _last(after)):
            yield from _with_digests(response, page)

    def _tag_pages(self, repository: str, query: str = "") -> Iterator[tuple[Response, list[dict[str, Any]]]]:
        url = self._url(repository, f"_tags?n={PAGE_SIZE}&orderby={query}")
        pages = follow_pages(self._api, Scope.of(repository, METADATA_READ), url, "tags")
        for response in pages:
            page = _object(response, "Could not list the tags", _NO_REPOSITORY)
            found = [_checked(tag, response.request.where, True) for tag in _items(response, page, "tags", dict)]
            pages.listed(tag["name"] for tag in found)
            yield response, found

    def repository(self, repository: str) -> dict[str, Any]:
        """Get the repository's object: times, counts, changeableAttributes."""
        response = self._api.send(Scope.of(repository, METADATA_READ), "GET", self._url(repository, ""))
        return _object(response, "Could not read the repository's properties", _NO_REPOSITORY)

    def repositories(self, after: str = "") -> Iterator[str]:
        """Yield the names of all repositories, or of those *after* a name, page by page."""
        url, listed = self._api.url(f"/acr/v1/_catalog?n={PAGE_SIZE}{_last(after)}"), 0
        pages = follow_pages(self._api, CATALOG, url, "repositories")
        for response in pages:
            page = _object(response, "Could not list the repositories", "The registry does not list its repositories")
            names = _items(response, page, "repositories", str)
            listed += len(names)
            if listed > MOST_REPOSITORIES:
                raise _too_long("repositories", response, MOST_REPOSITORIES)
            found = [_name(is_repository, name, "a repository", response.request.where) for name in names]
            pages.listed(found)
            yield from found

    def manifests(self, repository: str, order: str = "", most: int = MOST_MANIFESTS) -> Iterator[dict[str, Any]]:
        """Yield all manifests' objects, page by page, by digest or in *order*: `timedesc` or `timeasc`. They have no
        other properties than `LISTED`, and share the values that repeat."""
        url = self._url(repository, f"_manifests?n={PAGE_SIZE}&orderby={order}")
        listed, shared = 0, {}  # type: int, dict[Any, Any]
        pages = follow_pages(self._api, Scope.of(repository, METADATA_READ), url, "manifests")
        for response in pages:
            page = _object(response, "Could not list the manifests", _NO_REPOSITORY)
            items = [_checked(one, response.request.where) for one in _items(response, page, "manifests", dict)]
            found = _with_digests(response, items)
            pages.listed(item["digest"] for item in found)
            for item in found:
                item = _brief(item, shared)
                listed += _weight(item)
                if listed > most:
                    raise _too_long("manifests", response, most)
                yield item

    def change(self, repository: str, version: str | None, attributes: Mapping[str, bool]) -> dict[str, Any]:
        """Set *attributes*, such as `writeEnabled`, and return the changed object: the tag or the manifest *version*,
        or the repository if it is None."""
        kind = "" if version is None else "manifest" if ":" in version else "tag"
        path = f"_{kind}s/{quote(version or '', safe=':')}" if kind else ""
        headers = {"Content-Type": "application/json"}
        scope = Scope.of(repository, METADATA_READ, METADATA_WRITE)
        body = json.dumps(dict(attributes)).encode()
        # Setting the same value twice does no harm.
        url = self._url(repository, path)
        response = self._api.send(scope, "PATCH", url, headers=headers, body=body, repeatable=True)
        found = _object(response, "Could not change the attributes", f"The {kind or 'repository'} does not exist")
        inner = found.get(kind, found)
        return inner if isinstance(inner, dict) else found

    def untag(self, repository: str, tag: str) -> None:
        """Remove the tag but not the manifest. Raises `NotFoundError` if there is no such tag."""
        url = self._url(repository, f"_tags/{quote(tag, safe='')}")
        response = self._api.send(Scope.of_untagging(repository), "DELETE", url)
        if response.status not in (200, 202, 204):
            raise error_from(response, "Could not remove the tag", not_found="The tag does not exist")
        response.close()

    def _one(self, repository: str, path: str, kind: str) -> dict[str, Any]:
        response = self._api.send(Scope.of(repository, METADATA_READ), "GET", self._url(repository, path))
        what = f"Could not read the {kind}'s properties"
        found = _object(response, what, f"The {kind} does not exist").get(kind)
        if not isinstance(found, dict):
            raise ProtocolError(what, where=response.request.where, why=f"the response has no object '{kind}'")
        return _checked(found, response.request.where)

    def _url(self, repository: str, path: str) -> str:
        return self._api.url(f"/acr/v1/{quote(repository)}" + (f"/{path}" if path else ""))


def _last(after: str) -> str:
    return f"&last={quote(after, safe='')}" if after else ""


def _items(response: Response, page: dict[str, Any], key: str, kind: type) -> list[Any]:
    try:
        found = as_list(page.get(key))
        if not all(isinstance(item, kind) for item in found):
            raise ValueError(f"an entry is no {kind.__name__}")
    except ValueError as error:
        where = response.request.where
        raise ProtocolError(f"Could not list the {key}", where=where, why="the list is malformed") from error
    return found


def _too_long(what: str, response: Response, most: int) -> ProtocolError:
    return ProtocolError(
        f"The list of {what} is too long",
        where=response.request.where,
        why=f"more than {most:,}",
        hint="List fewer with --top, where the command has it.",
    )


def _checked(item: dict[str, Any], where: str, named: bool = False) -> dict[str, Any]:
    """Return the properties *item* of a tag or a manifest if the names in them are valid: they become parts of URLs,
    are matched with patterns, and are shown."""
    if named or "name" in item:
        _name(is_tag, item.get("name"), "a tag", where)
    tags = item.get("tags")
    for tag in filter(lambda tag: isinstance(tag, str), tags if isinstance(tags, list) else ()):
        _name(is_tag, tag, "a tag", where)
    for key in ("mediaType", "configMediaType", "artifactType"):
        if isinstance(found := item.get(key), str) and found:
            _name(is_type_text, found, "a media type", where)
    return item


def _brief(item: dict[str, Any], shared: dict[Any, Any]) -> dict[str, Any]:
    """Return the properties of *item* that a command uses. *shared* holds the values that repeat."""
    found = {key: item[key] for key in LISTED if key in item}
    for key in ("mediaType", "configMediaType"):
        if isinstance(value := found.get(key), str):
            found[key] = shared.setdefault(value, value)
    attributes = item.get("changeableAttributes")
    if isinstance(attributes, dict):
        scalars = {key: value for key, value in attributes.items() if isinstance(value, (bool, str))}
        found["changeableAttributes"] = shared.setdefault(tuple(scalars.items()), scalars)
    return found


def _weight(item: dict[str, Any]) -> int:
    """Return how many usual manifests take as much memory as *item*."""
    lists = [value for value in item.values() if isinstance(value, (list, dict))]
    characters = len(str(list(item.values())))
    return 1 + max(0, sum(map(len, lists)) - FREE_VALUES) // 4 + max(0, characters - FREE_CHARACTERS) // 64


def _name(is_valid: Callable[[Any], bool], name: object, kind: str, where: str) -> Any:
    if not is_valid(name):
        raise ProtocolError(f"A name in the response is not {kind}", where=where, why=repr(name)[:80])
    return name


def _with_digests(response: Response, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *items* if each has a digest that is safe in a URL."""
    for item in items:
        parse_digest(item.get("digest"), response.request.where)
    return items


def _object(response: Response, what: str, missing: str) -> dict[str, Any]:
    if response.status != 200:
        error = error_from(response, what, not_found=missing)
        if isinstance(error, NotFoundError) and not error.code:
            # ACR always says what is missing; https://distribution.github.io/distribution has no such path.
            raise ProtocolError(
                "The registry is not an Azure Container Registry",
                where=response.request.where,
                why="it does not have ACR's own API for tags and times",
            ) from error
        raise error
    try:
        parsed = parse_json(response.content(PAGE_LIMIT))
    except ValueError as error:
        raise ProtocolError(what, where=response.request.where, why="the response is not JSON") from error
    if not isinstance(parsed, dict):
        raise ProtocolError(what, where=response.request.where, why="the response is not a JSON object")
    return parsed
