"""One registry, and all the requests that it takes."""

from __future__ import annotations

from ..transport.authorization import Authorizer
from ..transport.client import HttpClient
from .acr import AcrMetadata
from .api import RegistryApi
from .blobs import Blobs
from .manifests import Manifests
from .referrers import Referrers
from .uploads import Uploads


class Registry:
    """A registry's requests, grouped by subject."""

    def __init__(self, server: str, base_url: str, http: HttpClient, authorizer: Authorizer) -> None:
        api = RegistryApi(server, base_url, http, authorizer)
        self._api = api
        self.server = server
        self.authorizer = authorizer
        self.http = http
        self.manifests = Manifests(api)
        self.referrers = Referrers(self.manifests, http.waiter.notice, http.attempts)
        self.metadata = AcrMetadata(api)

    def blobs(self, repository: str) -> Blobs:
        """Return the requests about blobs of *repository*."""
        return Blobs(self._api, repository)

    def uploads(self, repository: str) -> Uploads:
        """Return the requests about uploads to *repository*."""
        return Uploads(self._api, repository)
