"""The storage addresses of large blobs, kept for their next ranges.

A registry redirects to a signed address, which serves any range and is valid for some minutes (ACR: 20). To ask for a
new one for each range costs a round trip, in which the connection moves nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from ..errors import ConnectionFailedError
from ..transport.client import HttpClient
from ..transport.messages import Request, Response
from .digest import Digest

MOST_LINKS = 64


class StorageLinks:
    """The last address of each blob. Several threads may use it. An address that fails is forgotten: the registry,
    which is asked then, decides whether and when to try again."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._links: OrderedDict[Digest, str] = OrderedDict()

    def get(self, digest: Digest, headers: Mapping[str, str]) -> Response | None:
        """Send one GET to the address of *digest*; return None without an address, and without a response."""
        link = self._links.get(digest)
        if link is None:
            return None
        try:
            return self._http.send(Request("GET", link, headers, repeatable=False, bulk=True), follow=False)
        except ConnectionFailedError:
            return None

    def keep(self, digest: Digest, response: Response) -> None:
        """Keep the address that *response*, a range of *digest* after a redirect, came from."""
        self._links[digest] = response.request.url
        if len(self._links) > MOST_LINKS:
            self._links.popitem(last=False)

    def forget(self, digest: Digest) -> None:
        """Forget the address of *digest*."""
        self._links.pop(digest, None)
