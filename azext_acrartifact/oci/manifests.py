"""Requests about manifests, referrers and tags (OCI distribution specification, § Pull, § Push, § Listing Tags)."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..errors import (
    DigestMismatchError,
    InvalidManifestError,
    InvalidReferenceError,
    NotFoundError,
    ProtocolError,
    RejectedError,
)
from ..transport.authorization import DELETE, LIST_TAGS, PULL, PUSH, Scope
from ..transport.bounded_json import as_list, parse_json
from ..transport.error_responses import error_from, read_refusal, refused
from ..transport.messages import Response
from .api import RegistryApi, path_of
from .descriptor import Descriptor, as_object
from .digest import Digest, digest_of, matches, parse_digest
from .manifest import MANIFEST_LIMIT, Manifest, parse_manifest
from .mediatypes import ACCEPT, IMAGE_INDEX
from .pages import Pages, follow_pages
from .reference import check_tag
from .referrers_api import says_no_api

PAGE_SIZE = 100
LARGE_MANIFEST = MANIFEST_LIMIT // 16
_ONE_LARGE = threading.Lock()
"""Manifests above that size are read and parsed one after another: the objects of one take many times its bytes."""
Parse = Callable[[bytes, str, str], Manifest]
TAGS_LIMIT = 16 * 1024 * 1024
"""Bytes of one page of tags."""


class Manifests:
    """Requests about manifests. All raise a `RegistryError` if the registry refuses, `NotFoundError` for a 404."""

    def __init__(self, api: RegistryApi) -> None:
        self._api = api

    def get(self, repository: str, version: str) -> Manifest:
        """Get the manifest *version*, a tag or a digest. Its bytes are checked against the digest in *version* and that
        in the response; the result has the first of them."""
        return self._read(repository, version, parse_manifest)

    def stored(self, repository: str, version: str) -> Manifest:
        """Get the manifest *version* as `get` does, whatever is in it: one that cannot be parsed has nothing but its
        bytes and their digest, and the type that the registry announces."""

        def parse(raw: bytes, media_type: str, where: str) -> Manifest:
            try:
                return parse_manifest(raw, media_type, where)
            except InvalidManifestError:
                return Manifest(media_type, raw, digest_of(raw))

        return self._read(repository, version, parse)

    def _read(self, repository: str, version: str, parse: Parse) -> Manifest:
        response = self._ask("GET", repository, version)
        if response.status != 200:
            raise error_from(response, "Could not read the manifest", not_found="The artifact does not exist")
        return _checked(response, f"{self._api.server}/{repository}", version, parse)

    def _ask(self, method: str, repository: str, version: str) -> Response:
        url = self._api.url(path_of(repository, "manifests", version))
        return self._api.send(Scope.of(repository, PULL), method, url, headers={"Accept": ACCEPT})

    def find(self, repository: str, version: str) -> Manifest | None:
        """Get the manifest *version*, or None if it does not exist or is of a type that is not supported."""
        try:
            return self.get(repository, version)
        except (NotFoundError, InvalidManifestError):
            return None

    def resolve(self, repository: str, version: str) -> Descriptor | None:
        """Get the descriptor of the manifest *version*, or None if it does not exist."""
        response = self._ask("HEAD", repository, version)
        with response:
            if response.status == 404:
                return None
            if response.status != 200:
                raise error_from(response, "Could not resolve the manifest")
            if "Docker-Content-Digest" not in response.headers:
                return self.stored(repository, version).descriptor
            digest = parse_digest(response.headers["Docker-Content-Digest"], response.request.where)
            return Descriptor(_media_type(response), digest, _length(response))

    def put(self, repository: str, manifest: Manifest, version: str) -> bool:
        """Store *manifest* under *version*. Raises `DigestMismatchError` if the registry reports another digest.

        Returns whether the registry says that it lists the manifest as a referrer of its subject (§ Pushing Manifests
        with Subject). A registry may list it without saying so.
        """
        url = self._api.url(path_of(repository, "manifests", version))
        headers = {"Content-Type": manifest.media_type}
        scope = Scope.of(repository, PULL, PUSH)
        response = self._api.send(scope, "PUT", url, headers=headers, body=manifest.raw)
        if response.status != 201:
            raise error_from(response, "Could not store the manifest")
        with response:
            stored, where = response.headers.get("Docker-Content-Digest", manifest.digest), response.request.where
            if not matches(manifest.raw, parse_digest(stored, where)):
                raise DigestMismatchError("The registry stored another manifest", where=where, why=stored)
            return "OCI-Subject" in response.headers

    def delete(self, repository: str, digest: Digest) -> bool:
        """Delete the manifest, all its tags and, in ACR, its referrers. Returns False if it did not exist."""
        url = self._api.url(path_of(repository, "manifests", digest))
        response = self._api.send(Scope.of(repository, DELETE), "DELETE", url)
        if response.status in (200, 202, 404):
            response.close()
            return response.status != 404
        raise error_from(response, "Could not delete the manifest")

    def referrers(self, repository: str, digest: Digest, has_api: bool = False) -> Iterator[Descriptor] | None:
        """Iterate over the manifests whose subject is *digest*.

        Returns None if the registry has no referrers API, unless *has_api* says that it has shown one. Raises
        `RejectedError` for a 404 that speaks of *digest* or of the repository.
        """
        url = self._api.url(path_of(repository, "referrers", digest))
        pages = follow_pages(self._api, Scope.of(repository, PULL), url, "referrers")
        first = next(pages)
        if first.status == 200:
            return self._children(pages, first)
        refusal = read_refusal(first)
        if not has_api and says_no_api(first.status, refusal):
            return None
        error = refused(first, refusal, "Could not list the referrers")
        # Not a NotFoundError: for a script, its exit code says that the artifact itself is gone.
        raise _unlisted(error) if isinstance(error, NotFoundError) else error

    def _children(self, pages: Pages, first: Response) -> Iterator[Descriptor]:
        for page in itertools.chain([first], pages):
            found = _index(page).manifests
            pages.listed(child.digest for child in found)
            yield from found

    def tags(self, repository: str) -> Iterator[str]:
        """Yield all tags, page by page (§ Listing Tags). Raises `NotFoundError` if the repository does not exist.

        ACR counts tags as metadata, which the right to pull does not include (https://github.com/Azure/acr/issues/690).
        """
        url = self._api.url(path_of(repository, "tags", "list") + f"?n={PAGE_SIZE}")
        pages = follow_pages(self._api, Scope.of(repository, *LIST_TAGS), url, "tags")
        for response in pages:
            found = _tags(response)
            pages.listed(found)
            yield from found


def _unlisted(error: NotFoundError) -> RejectedError:
    return RejectedError(
        error.what,
        where=error.where,
        why=error.why,
        hint="A geo-replica may not have the artifact yet. Run the command again, or use one replica only: "
        "myregistry.REGION.geo.azurecr.io",
        status=error.status,
        code=error.code,
        correlation_id=error.correlation_id,
    )


def _checked(response: Response, repository: str, version: str, parse: Parse) -> Manifest:
    with _ONE_LARGE if _may_be_large(response) else contextlib.nullcontext():
        return _verified(response.content(MANIFEST_LIMIT), response, repository, version, parse)


def _may_be_large(response: Response) -> bool:
    return not 0 < _length(response) <= LARGE_MANIFEST


def _verified(raw: bytes, response: Response, repository: str, version: str, parse: Parse) -> Manifest:
    is_digest = ":" in version
    where = f"{repository}{'@' if is_digest else ':'}{version}"
    announced = (version if is_digest else None, response.headers.get("Docker-Content-Digest"))
    expected = [parse_digest(digest, where) for digest in announced if digest]
    for digest in expected:
        if not matches(raw, digest):
            raise DigestMismatchError("The manifest does not match its digest", where=where, why=f"expected {digest}")
    manifest = parse(raw, _media_type(response), where)
    return replace(manifest, digest=expected[0]) if expected else manifest


def _index(response: Response) -> Manifest:
    if response.status != 200:
        raise error_from(response, "Could not list the referrers")
    with _ONE_LARGE if _may_be_large(response) else contextlib.nullcontext():
        raw = response.content(MANIFEST_LIMIT)
        index = parse_manifest(raw, _media_type(response), response.request.where)
    if index.media_type != IMAGE_INDEX:
        raise ProtocolError("The list of referrers is not an index", where=response.request.where)
    return index


def _tags(response: Response) -> list[str]:
    if response.status != 200:
        raise error_from(response, "Could not list the tags", not_found="The repository does not exist")
    where = response.request.where
    try:
        page = as_object(parse_json(response.content(TAGS_LIMIT)), where)
        return [check_tag(tag) for tag in as_list(page.get("tags"))]
    except (ValueError, TypeError, InvalidManifestError, InvalidReferenceError) as error:
        raise ProtocolError("Could not list the tags", where=where, why="the list is malformed") from error


def _media_type(response: Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()


def _length(response: Response) -> int:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
