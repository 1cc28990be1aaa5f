"""References: SERVER/REPOSITORY[:TAG][@DIGEST], and REPOSITORY[:TAG][@DIGEST] where the server is given apart.

Grammar: OCI distribution specification § Pulling manifests. Azure CLI's own parser takes `repo:tag@digest` for
a repository called `repo:tag`, and refuses regional and DNL login servers, so it is not used.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from ..errors import InvalidReferenceError
from .digest import DIGEST_PATTERN, Digest

NAME_LIMIT = 255
FORM = "SERVER/REPOSITORY[:TAG] or SERVER/REPOSITORY@DIGEST, for example myregistry.azurecr.io/samples/artifact:1.0"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(DIGEST_PATTERN)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_REGISTRY_NAME = re.compile(r"[A-Za-z0-9]{5,50}(?:-[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class Reference:
    """An artifact in a registry. With neither *tag* nor *digest* it names the repository alone."""

    server: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def version(self) -> str | None:
        """What the manifest is asked for by: the digest, otherwise the tag."""
        return self.digest or self.tag

    @property
    def image(self) -> str:
        """REPOSITORY with tag and digest, as `--image` takes it."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return f"{self.server}/{self.image}"

    def at(self, digest: Digest) -> Reference:
        """The same repository, by *digest* alone."""
        return replace(self, tag=None, digest=digest)


def parse_reference(text: str) -> Reference:
    """SERVER/REPOSITORY[:TAG][@DIGEST]; raises `InvalidReferenceError`."""
    text = text.removeprefix("https://").removeprefix("oci://")
    server, _, image = text.partition("/")
    if not image:
        raise InvalidReferenceError("The reference names no repository", where=text, hint=f"Write {FORM}.")
    if "." not in server and ":" not in server and server != "localhost":
        raise InvalidReferenceError(
            "The reference does not begin with a login server",
            where=text,
            hint=f"Write {FORM}, or give --name REGISTRY --image {text}.",
        )
    return parse_image(image, check_server(server))


def parse_image(text: str, server: str) -> Reference:
    """REPOSITORY[:TAG][@DIGEST] on *server*; raises `InvalidReferenceError`."""
    rest, at, digest = text.partition("@")
    repository, colon, tag = rest.partition(":")
    if at and not _DIGEST.fullmatch(digest):
        raise InvalidReferenceError(
            "Not a digest", where=text, why=f"'{digest}' is not sha256: and 64 lower-case hexadecimal digits"
        )
    if colon and not _TAG.fullmatch(tag):
        raise InvalidReferenceError(
            "Not a tag", where=text, why=f"'{tag}' must be 1 to 128 of letters, digits, '_', '.' and '-'"
        )
    _check_repository(repository, server, text)
    return Reference(server, repository, tag or None, Digest(digest) if digest else None)


def check_server(server: str) -> str:
    """*server* if it can be a login server: HOST, or HOST:PORT on this machine."""
    host, colon, port = server.partition(":")
    if host != host.lower():
        raise InvalidReferenceError(
            "A login server is written in lower case", where=server, hint=f"Write {server.lower()}."
        )
    if not _HOST.fullmatch(host) or (colon and not _is_port(port)):
        raise InvalidReferenceError("Not a login server", where=server, hint=f"Write {FORM}.")
    if colon and not is_loopback(server):
        raise InvalidReferenceError(
            "A login server has no port",
            where=server,
            why="Azure Container Registry serves port 443 alone",
            hint=f"Write {host}.",
        )
    return server


def check_tag(tag: str) -> str:
    """*tag* if it can be one; raises `InvalidReferenceError`."""
    if not _TAG.fullmatch(tag):
        raise InvalidReferenceError("Not a tag", where=tag, why="it must be 1 to 128 of letters, digits, '_', '.', '-'")
    return tag


def is_repository(text: str) -> bool:
    """Whether *text* can be a repository's name."""
    return _REPOSITORY.fullmatch(text) is not None


def check_version(text: str) -> str:
    """*text* if it can be a tag or is a digest; raises `InvalidReferenceError`."""
    return text if _DIGEST.fullmatch(text) else check_tag(text)


def is_registry_name(text: str) -> bool:
    """Whether *text* can be a registry's resource name, or its name with a DNL hash."""
    return _REGISTRY_NAME.fullmatch(text) is not None


def is_loopback(server: str) -> bool:
    """Whether *server* is this machine, where alone plain HTTP and ports are allowed."""
    host = server.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) < 65536


def _check_repository(repository: str, server: str, text: str) -> None:
    if repository != repository.lower():
        raise InvalidReferenceError(
            "A repository is written in lower case", where=text, hint=f"Write {repository.lower()}."
        )
    if not _REPOSITORY.fullmatch(repository):
        raise InvalidReferenceError(
            "Not a repository",
            where=text,
            why=f"'{repository}' must be lower-case letters and digits, parted by '.', '_', '-' or '/'",
            hint=f"Write {FORM}.",
        )
    if len(f"{server}/{repository}") > NAME_LIMIT:
        raise InvalidReferenceError("The repository's name is too long", where=text, why=f"more than {NAME_LIMIT}")
