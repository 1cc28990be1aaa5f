"""A registry's manifests and referrers (OCI distribution specification, § Pull, § Push, § Listing Referrers)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from ..errors import DigestMismatchError, InvalidManifestError, InvalidReferenceError, NotFoundError, ProtocolError
from ..transport.authorization import DELETE, PULL, PUSH, Scope
from ..transport.bounded_json import parse_json
from ..transport.error_responses import error_from
from ..transport.messages import Response
from .api import RegistryApi, path_of
from .descriptor import Descriptor
from .digest import Digest, algorithm_of, digest_of, parse_digest
from .manifest import MANIFEST_LIMIT, Manifest, parse_manifest
from .mediatypes import ACCEPT, IMAGE_INDEX
from .pages import follow_pages
from .reference import check_tag

PAGE_SIZE = 100
TAGS_LIMIT = 16 * 1024 * 1024
"""Bytes of one page of tags."""


class Manifests:
    """Requests about manifests. All raise a `RegistryError` for a refusal, `NotFoundError` for a 404."""

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    def get(self, repository: str, version: str) -> Manifest:
        """The manifest under *version*, a tag or a digest, with its bytes checked against both digests. Its own is
        the one it was asked for by, or else the registry's."""
        url = self._api.url(path_of(repository, "manifests", version))
        response = self._api.send(Scope.of(repository, PULL), "GET", url, headers={"Accept": ACCEPT})
        if response.status != 200:
            missing = "The artifact does not exist"
            raise error_from(response, "The manifest was not read", not_found=missing)
        return _checked(response, f"{self._api.server}/{repository}", version)

    def find(self, repository: str, version: str) -> Manifest | None:
        """The manifest under *version*, or None when there is none or it is of no kind that we read."""
        try:
            return self.get(repository, version)
        except (NotFoundError, InvalidManifestError):
            return None

    def resolve(self, repository: str, version: str) -> Descriptor | None:
        """The descriptor of the manifest under *version*; None when there is none."""
        url = self._api.url(path_of(repository, "manifests", version))
        response = self._api.send(Scope.of(repository, PULL), "HEAD", url, headers={"Accept": ACCEPT})
        with response:
            if response.status == 404:
                return None
            if response.status != 200:
                raise error_from(response, "The manifest was not found out")
            if "Docker-Content-Digest" not in response.headers:
                return self.get(repository, version).descriptor
            digest = parse_digest(response.headers["Docker-Content-Digest"], response.request.where)
            return Descriptor(_media_type(response), digest, _length(response))

    def put(self, repository: str, manifest: Manifest, version: str) -> bool:
        """Store *manifest* under *version*; the registry must confirm the digest with 201.

        Whether the registry says that it lists the manifest as a referrer of its subject (§ Pushing Manifests with
        Subject); if not, `referrers.Referrers` keeps that list.
        """
        url = self._api.url(path_of(repository, "manifests", version))
        headers = {"Content-Type": manifest.media_type}
        scope = Scope.of(repository, PULL, PUSH)
        response = self._api.send(scope, "PUT", url, headers=headers, body=manifest.raw)
        if response.status != 201:
            raise error_from(response, "The manifest was not stored")
        with response:
            told = response.headers.get("Docker-Content-Digest", manifest.digest)
            if told != digest_of(manifest.raw, algorithm_of(parse_digest(told, response.request.where))):
                raise DigestMismatchError(
                    "The registry stored another manifest", where=response.request.where, why=f"{told}"
                )
            return "OCI-Subject" in response.headers

    def delete(self, repository: str, digest: Digest) -> bool:
        """Delete the manifest, all its tags and, in ACR, its referrers; False when it was gone already."""
        url = self._api.url(path_of(repository, "manifests", digest))
        response = self._api.send(Scope.of(repository, DELETE), "DELETE", url)
        if response.status in (200, 202, 404):
            response.close()
            return response.status != 404
        raise error_from(response, "The manifest was not deleted")

    def referrers(self, repository: str, digest: Digest) -> Iterator[Descriptor] | None:
        """The manifests whose subject is *digest*, page by page; None where the registry keeps no such list."""
        url = self._api.url(path_of(repository, "referrers", digest))
        pages = follow_pages(self._api, Scope.of(repository, PULL), url, "referrers")
        first = next(pages)
        if first.status == 404:
            first.close()
            return None
        return (child for page in itertools.chain([first], pages) for child in _index(page).manifests)

    def tags(self, repository: str) -> Iterator[str]:
        """The names of all tags, page by page (§ Listing Tags). Raises `NotFoundError` when there is no repository."""
        url = self._api.url(path_of(repository, "tags", "list") + f"?n={PAGE_SIZE}")
        for response in follow_pages(self._api, Scope.of(repository, PULL), url, "tags"):
            yield from _tags(response)


def _checked(response: Response, place: str, version: str) -> Manifest:
    raw = response.content(MANIFEST_LIMIT)
    where = f"{place}@{version}" if ":" in version else f"{place}:{version}"
    told = response.headers.get("Docker-Content-Digest")
    for expected in (version if ":" in version else None, told):
        if expected and digest_of(raw, algorithm_of(parse_digest(expected, where))) != expected:
            raise DigestMismatchError("The manifest is not the right one", where=where, why=f"expected {expected}")
    manifest = parse_manifest(raw, _media_type(response), where)
    return replace(manifest, digest=Digest(version if ":" in version else told or manifest.digest))


def _index(response: Response) -> Manifest:
    if response.status != 200:
        raise error_from(response, "The referrers were not listed")
    raw = response.content(MANIFEST_LIMIT)
    index = parse_manifest(raw, _media_type(response), response.request.where)
    if index.media_type != IMAGE_INDEX:
        raise ProtocolError("The list of referrers is no index", where=response.request.where)
    return index


def _tags(response: Response) -> list[str]:
    if response.status != 200:
        raise error_from(response, "The tags were not listed", not_found="The repository does not exist")
    try:
        return [check_tag(tag) for tag in parse_json(response.content(TAGS_LIMIT))["tags"] or []]
    except (ValueError, KeyError, TypeError, InvalidReferenceError) as error:
        raise ProtocolError("The answer is no list of tags", where=response.request.where) from error


def _media_type(response: Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()


def _length(response: Response) -> int:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
