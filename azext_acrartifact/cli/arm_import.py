"""Azure Resource Manager's importImage, as the operation `copy` asks for it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from knack.log import get_logger

from ..errors import PermissionDeniedError, RejectedError
from ..oci.reference import Reference
from .arguments import LoginArgument
from .identity import arm as _arm
from .identity.auth_mode import mode_of
from .identity.azure_login import cloud_suffix

_logger = get_logger(__name__)


def importer_for(cmd: Any, source: tuple[str, LoginArgument], target: tuple[str, LoginArgument]) -> ArmImport | None:
    """Azure's own way from one login server to another. None within one registry, where blobs are mounted, and where
    it would act for somebody else than whom the user named: importImage knows the Azure CLI's login alone. A password
    for the source is not handed to Azure Resource Manager either: it is for the registry."""
    suffix = cloud_suffix(cmd)
    if source[0] == target[0] or not suffix:
        return None
    for server, login in (source, target):
        if not server.endswith(suffix) or login.username is not None or mode_of(cmd, login) not in ("auto", "login"):
            _logger.info("Azure is not asked to import: it does so by the Azure CLI's login alone.")
            return None
    return ArmImport(cmd, source[0], target[0])


class ArmImport:
    """`operations.importing.ServerSideImport` between two registries of the subscription."""

    def __init__(self, cmd: Any, source: str, target: str) -> None:
        self._cmd, self._servers = cmd, (source, target)

    def possible(self) -> bool:
        """Whether both registries are in the subscription, as far as this identity may see."""
        missing = [server for server, found in zip(self._servers, self._registries, strict=True) if found is None]
        if missing:
            _logger.info("Azure cannot import: it shows no registry %s in this subscription.", " and ".join(missing))
        return not missing

    def bring(self, source: Reference, repository: str, tags: Sequence[str], overwrite: bool) -> None:
        """Start the import and wait for its end; see `ServerSideImport`."""
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
    def _registries(self) -> tuple[Any | None, Any | None]:
        source, target = _arm.registries_at(self._cmd, self._servers)
        return source, target


def _import(cmd: Any, target: Any, wanted: dict[str, Any]) -> None:
    from azure.core.exceptions import AzureError, HttpResponseError
    from knack.util import CLIError

    try:
        group = _arm.group_of(target)
        _arm.client(cmd).registries.begin_import_image(group, target.name, wanted).result()
    except HttpResponseError as error:
        if error.status_code == 403:
            raise _denied(target, error) from error
        raise RejectedError(
            "Azure Resource Manager did not import", where=str(target.name), why=_first_line(error)
        ) from error
    except (AzureError, CLIError) as error:
        raise RejectedError(
            "Azure Resource Manager did not import", where=str(target.name), why=_first_line(error)
        ) from error


def _denied(target: Any, error: Any) -> PermissionDeniedError:
    code = getattr(getattr(error, "error", None), "code", None) or "Forbidden"
    return PermissionDeniedError(
        "No permission to import",
        where=str(target.name),
        why=f"{code}; the role Container Registry Data Importer and Data Reader is needed at both registries",
        status=403,
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
