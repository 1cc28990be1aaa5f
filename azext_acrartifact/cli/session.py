"""The registry of a command, open and signed in, with its progress shown until the command ends."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from knack.log import get_logger

from .._client_factory import find_server, http_client, open_registry
from ..errors import InvalidInputError
from ..known_secrets import KNOWN
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..operations.short_digest import find_digest
from ..transfer.progress import Progress
from .arguments import LoginArgument
from .context import CommandContext
from .naming import NamedReference
from .output.progress import progress_for

_logger = get_logger(__name__)


@dataclass(frozen=True)
class Session:
    """A *registry* that was opened with *login*, and the *reference* there, with the login server as it is."""

    registry: Registry
    reference: Reference
    login: LoginArgument
    progress: Progress

    def report(self, verb: str, reference: Reference, digest: Digest) -> None:
        """Show at the end what was made, and how to pull what has no tag."""
        self.progress.note(f"{verb:11} {reference}")
        self.progress.note(f"{'Digest:':11} {digest}")
        if reference.version is None:
            self.progress.note(f"{'No tag.':11} To pull it: az acr artifact pull {reference.at(digest)}")


@contextlib.contextmanager
def open_session(cmd: CommandContext, named: NamedReference, login: LoginArgument) -> Iterator[Session]:
    """Open the registry of *named*. Raises any `ArtifactError`."""
    login = with_password(login)
    with contextlib.closing(progress_for(cmd)) as progress:
        http = http_client(cmd, progress)
        server = find_server(cmd, named, http)
        registry = open_registry(cmd, server, login, http)
        reference = find_digest(registry, replace(named.reference, server=server.host))
        yield Session(registry, reference, login, progress)


@contextlib.contextmanager
def open_copy_sessions(
    cmd: CommandContext,
    source: tuple[NamedReference, LoginArgument],
    target: tuple[NamedReference, LoginArgument | None],
) -> Iterator[tuple[Session, Session]]:
    """Open two registries over one set of connections.

    A target without a sign-in takes that of the source if both are one registry, which is then opened once. A password
    is for one registry only, so any other target takes the usual sign-in.
    """
    (named, login), (target_named, target_login) = source, target
    target_login = target_login and with_password(target_login)
    login = with_password(login)
    with contextlib.closing(progress_for(cmd)) as progress:
        http = http_client(cmd, progress)
        server, target_server = find_server(cmd, named, http), find_server(cmd, target_named, http)
        registry = open_registry(cmd, server, login, http)
        reference = find_digest(registry, replace(named.reference, server=server.host))
        origin = Session(registry, reference, login, progress)
        target_reference = replace(target_named.reference, server=target_server.host)
        if server.host == target_server.host and target_login in (None, login):
            yield origin, replace(origin, reference=target_reference)
            return
        target_login = target_login or LoginArgument(None)
        registry = open_registry(cmd, target_server, target_login, http)
        yield origin, Session(registry, target_reference, target_login, progress)


def with_password(login: LoginArgument) -> LoginArgument:
    """Return *login* with its password, read from standard input or asked for on a terminal if it was not given."""
    if login.username is not None and login.password is None:
        login = replace(login, password=_read_password(login.username, login.password_stdin))
    elif login.password is not None and sys.stderr.isatty():
        # Only there: a pipeline may fail on any text on standard error.
        _logger.warning(
            "Other users of this machine can see a password on the command line, and the shell's history and Azure "
            "CLI's log keep it. Use --password-stdin."
        )
    KNOWN.add(login.password or "")
    return login


def _read_password(username: str, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise InvalidInputError("No password on standard input", where=username, hint="Pipe it in.")
        return password
    from .output.confirm import ask_password

    return ask_password(username)
