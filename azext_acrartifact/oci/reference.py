"""References: SERVER/REPOSITORY[:TAG][@DIGEST], and REPOSITORY[:TAG][@DIGEST] where the server is a separate option.

The grammar is that of the OCI distribution specification, § Pulling manifests. Azure CLI's own parser is not used: it
reads `repo:tag@digest` as a repository named `repo:tag`, and refuses regional and DNL login servers.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from ..errors import InvalidReferenceError
from .digest import DIGEST_FORM, Digest, is_digest

NAME_LIMIT = 255
EXAMPLE_SERVER = "myregistry.azurecr.io"
FORM = f"SERVER/REPOSITORY[:TAG] or SERVER/REPOSITORY@DIGEST, for example {EXAMPLE_SERVER}/samples/artifact:1.0"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_SHORT = re.compile(r"sha256:[0-9a-f]{12,63}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_REGISTRY_NAME = re.compile(r"[A-Za-z0-9]{5,50}(?:-[A-Za-z0-9]+)?")
# Of sh, PowerShell, cmd.exe, pipelines and templates.
_VARIABLE = re.compile(r"\$\w+|\$[({][^)}]*[)}]|%\w+%|\{\{?[^{}]*\}?\}|<[^<>]*>")
_EMPTY_PART = re.compile(r"^(?:[/:@]|\.\w)|//|/[:@]|:@|[:@]$")


@dataclass(frozen=True)
class Reference:
    """An artifact in a registry, or a repository if there is neither *tag* nor *digest*. *short* is the beginning of a
    digest as tables show it: `find_digest` replaces it before any use."""

    server: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None
    short: str | None = None

    @property
    def version(self) -> str | None:
        """The digest, or else the tag; requests for the manifest use it."""
        return self.digest or self.short or self.tag

    @property
    def image(self) -> str:
        """REPOSITORY[:TAG][@DIGEST], as `--image` accepts it."""
        tag = f":{self.tag}" if self.tag else ""
        digest = self.digest or self.short
        return f"{self.repository}{tag}" + (f"@{digest}" if digest else "")

    def __str__(self) -> str:
        return f"{self.server}/{self.image}"

    def at(self, digest: Digest) -> Reference:
        """Return a reference to *digest* in the same repository, without a tag."""
        return replace(self, tag=None, digest=digest, short=None)


def parse_reference(text: str) -> Reference:
    """Parse SERVER/REPOSITORY[:TAG][@DIGEST]. Raises `InvalidReferenceError`."""
    require_filled(text)
    server, slash, image = text.partition("/")
    host, colon, port = split_server(server)
    if not _may_be_server(host) and not (slash and colon and _is_port(port)):
        example = f"{EXAMPLE_SERVER}/{text.lower()}"
        hint = f"Write it with its login server, as {example}, or give --name."
        if slash and is_registry_name(server):
            hint += f" If {server} is the registry: {server.lower()}.azurecr.io/{image.lower()}"
        raise InvalidReferenceError("No registry given", where=text, hint=hint)
    if not image:
        hint = f"Write {text.replace(chr(92), '/')}" if "\\" in text else f"Write {FORM}."
        raise InvalidReferenceError("The reference names no repository", where=text, hint=hint)
    return parse_image(image, check_server(server))


def parse_image(text: str, server: str) -> Reference:
    """Parse REPOSITORY[:TAG][@DIGEST] on *server*. Raises `InvalidReferenceError`."""
    require_filled(text)
    rest, at, digest = text.partition("@")
    repository, colon, tag = rest.partition(":")
    short = digest if _SHORT.fullmatch(digest) else None
    if at and not short and not is_digest(digest):
        named = f"sha256:{digest}"
        hint = f"Write {server}/{repository}@{named}" if is_digest(named) or _SHORT.fullmatch(named) else ""
        raise InvalidReferenceError("Not a digest", where=text, why=f"'{digest}' is not {DIGEST_FORM}", hint=hint)
    if colon and not at and (is_digest(tag) or _SHORT.fullmatch(tag)):
        hint = f"Write {server}/{repository}@{tag}"
        raise InvalidReferenceError("Not a tag", where=text, why="it is a digest", hint=hint)
    if colon:
        check_tag(tag, text)
    _check_repository(repository, server, text)
    whole = Digest(digest) if digest and not short else None
    return Reference(server, repository, tag or None, whole, short)


def require_filled(text: str) -> None:
    """Raise `InvalidReferenceError` if *text* shows a variable of a script that was not replaced, or was unset."""
    if found := _VARIABLE.search(text):
        hint = f"Type its value instead of {found[0]}, or write the variable as your shell does."
        raise InvalidReferenceError("A variable was not replaced", where=text, hint=hint)
    if _EMPTY_PART.search(text) and "://" not in text:
        raise InvalidReferenceError("A part of the name is empty", where=text, hint="Is a variable unset?")


def check_server(server: str) -> str:
    """Return *server* in lower case if it is a valid login server: HOST, or HOST:PORT on this machine."""
    # Other letters may have a lower case in ASCII, such as the sign for kelvin.
    server = server.lower() if server.isascii() else server
    host, colon, port = split_server(server)
    if not (_HOST.fullmatch(host) or is_loopback(server)) or (colon and not _is_port(port)):
        raise InvalidReferenceError("Not a login server", where=server, hint=f"Write {FORM}.")
    if colon and not is_loopback(server):
        raise InvalidReferenceError(
            "A login server must not have a port",
            where=server,
            why="Azure Container Registry only listens on port 443",
            hint=f"Write {host}.",
        )
    return server


def _may_be_server(host: str) -> bool:
    return "." in host or host.lower() == "localhost" or host.startswith("[")


def split_server(server: str) -> tuple[str, str, str]:
    """Return the host of *server*, a colon if there is a port, and the port. An IPv6 address keeps its brackets
    (RFC 3986 § 3.2.2)."""
    address, bracket, rest = server.partition("]")
    if not (server.startswith("[") and bracket):
        return server.partition(":")
    before, colon, port = rest.partition(":")
    return f"{address}]{before}", colon, port


def check_tag(tag: str, where: str = "") -> str:
    """Return *tag* if it is valid. Raises `InvalidReferenceError`, which names *where* if that is given."""
    if not _TAG.fullmatch(tag):
        why = f"'{tag}' is not 1 to 128 letters, digits, '_', '.' and '-', with neither '.' nor '-' first"
        as_helm = tag.replace("+", "_")
        hint = f"Write {as_helm}, as helm does." if is_tag(as_helm) else "" if where else "Write a tag such as 1.0."
        raise InvalidReferenceError("Not a tag", where=where or tag, why=why, hint=hint)
    return tag


def is_tag(text: object) -> bool:
    """Return whether *text* is a valid tag."""
    return isinstance(text, str) and _TAG.fullmatch(text) is not None


def tag_order(tag: str) -> list[tuple[int, str]]:
    """Return the key that sorts tags as versions: 1, 2, 10."""
    parts = re.split(r"([0-9]+)", tag)
    return [(int(part), "") if number % 2 else (-1, part) for number, part in enumerate(parts)]


def is_repository(text: object) -> bool:
    """Return whether *text* is a valid repository name."""
    return isinstance(text, str) and len(text) <= NAME_LIMIT and _REPOSITORY.fullmatch(text) is not None


def check_version(text: str) -> str:
    """Return *text* if it is a valid tag or digest. Raises `InvalidReferenceError`."""
    return text if is_digest(text) else check_tag(text)


def is_registry_name(text: str) -> bool:
    """Return whether *text* is a valid resource name of a registry, with or without a DNL hash."""
    return _REGISTRY_NAME.fullmatch(text) is not None


def is_loopback(server: str) -> bool:
    """Return whether *server* is this machine. Plain HTTP and ports are allowed only there."""
    host = split_server(server)[0]
    if host == "localhost":
        return True
    in_brackets = host.startswith("[") and "%" not in host
    try:
        address = ipaddress.ip_address(host[1:-1] if in_brackets else host)
    except ValueError:
        return False
    return address.is_loopback and in_brackets == (address.version == 6)


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text) < 65536


def _check_repository(repository: str, server: str, text: str) -> None:
    if repository != repository.lower():
        raise InvalidReferenceError(
            "A repository must be lower case",
            where=text,
            hint=f"Write {text.replace(repository, repository.lower(), 1)}",
        )
    if not _REPOSITORY.fullmatch(repository):
        raise InvalidReferenceError(
            "Not a repository",
            where=text,
            why=f"'{repository}' is not lower-case letters and digits, separated by '.', '_', '-' or '/'",
            hint=f"Write {FORM}.",
        )
    if len(f"{server}/{repository}") > NAME_LIMIT:
        raise InvalidReferenceError(
            "The repository's name is too long", where=text, why=f"more than {NAME_LIMIT} characters"
        )
