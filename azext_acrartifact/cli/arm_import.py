"""Imports by Azure Resource Manager (importImage), for the operation `copy`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from knack.log import get_logger

from ..errors import PermissionDeniedError, RejectedError
from ..oci.reference import Reference
from .context import CommandContext
from .identity import arm
from .identity.auth_mode import mode_of

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from ..auth.resource_manager import ListedRegistry
    from .session import Session

_logger = get_logger(__name__)


def importer_for(cmd: CommandContext, source: Session, target: Session) -> ArmImport | None:
    """Return the import from one registry to another, or None when it must not be used.

    Within one registry, blobs are mounted. importImage acts for the Azure CLI's login only, so it is not used when the
    user chose another identity; a password for the source goes to its registry, never to Azure Resource Manager.
    """
    suffix, servers = cmd.registry_suffix, (source.registry.server, target.registry.server)
    if servers[0] == servers[1] or not suffix:
        return None
    for server, login in zip(servers, (source.login, target.login), strict=True):
        if not server.endswith(suffix) or login.username is not None or mode_of(cmd, login) not in ("auto", "login"):
            _logger.info("No import by Azure: it works with the Azure CLI's login only.")
            return None
    return ArmImport(cmd, *servers)


class ArmImport:
    """Imports from one registry of the subscription to another; see `operations.server_import.ServerSideImport`."""

    def __init__(self, cmd: CommandContext, source: str, target: str) -> None:
        self._cmd, self._servers = cmd, (source, target)

    def possible(self) -> bool:
        """Return whether this identity sees both registries in the subscription."""
        missing = [server for server, found in zip(self._servers, self._registries, strict=True) if found is None]
        if missing:
            _logger.info("No import by Azure: it lists no registry %s in this subscription.", " and ".join(missing))
        return not missing

    def bring(self, source: Reference, repository: str, tags: Sequence[str], overwrite: bool) -> None:
        """Import, and wait for the end; see `ServerSideImport`."""
        origin, target = self._registries
        assert origin is not None
        assert target is not None
        wanted: dict[str, Any] = {
            "source": {"resourceId": origin.id, "sourceImage": f"{source.repository}@{source.digest}"},
            "mode": "Force" if overwrite else "NoForce",
        }
        if tags:
            wanted["targetTags"] = [f"{repository}:{tag}" for tag in tags]
        else:
            wanted["untaggedTargetRepositories"] = [repository]
        _import(self._cmd, target, wanted)

    @functools.cached_property
    def _registries(self) -> tuple[ListedRegistry | None, ListedRegistry | None]:
        source, target = arm.registries_at(self._cmd, self._servers)
        return source, target


def _import(cmd: CommandContext, target: ListedRegistry, wanted: dict[str, Any]) -> None:
    from azure.core.exceptions import AzureError, HttpResponseError
    from knack.util import CLIError

    try:
        arm.client(cmd).registries.begin_import_image(target.group, target.name, wanted).result()
    except (AzureError, CLIError) as error:
        if isinstance(error, HttpResponseError) and error.status_code == 403:
            raise _denied(target, error) from error
        raise RejectedError(
            "The import by Azure Resource Manager failed", where=str(target.name), why=_first_line(error)
        ) from error


def _denied(target: ListedRegistry, error: HttpResponseError) -> PermissionDeniedError:
    code = getattr(getattr(error, "error", None), "code", None) or "Forbidden"
    return PermissionDeniedError(
        "No permission to import",
        where=str(target.name),
        why=f"{code}; the role Container Registry Data Importer and Data Reader is needed at both registries",
        status=403,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
