"""The core's errors as Azure CLI's: the class decides the exit code and the category in Azure CLI's telemetry.

Exit codes: 3 for `ResourceNotFoundError`, 2 for usage, 1 for all others
(https://github.com/Azure/azure-cli/blob/dev/doc/error_handling_guidelines.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from azure.cli.core import azclierror as az
from azure.cli.core.commands import AzCliCommand

from . import errors
from .cli.context import CommandContext
from .cli.interrupt import interruptible
from .errors import ArtifactError

_Result = TypeVar("_Result")
_KINDS: tuple[tuple[type[ArtifactError], type[Exception]], ...] = (
    (errors.InvalidInputError, az.InvalidArgumentValueError),
    (errors.LocalFileError, az.FileOperationError),
    (errors.RefusedError, az.AzureResponseError),
    (errors.SignInError, az.UnauthorizedError),
    (errors.PermissionDeniedError, az.ForbiddenError),
    (errors.NetworkRuleError, az.ForbiddenError),
    (errors.NotFoundError, az.ResourceNotFoundError),
    (errors.LockedError, az.ForbiddenError),
    (errors.ThrottledError, az.AzureResponseError),
    (errors.RejectedError, az.BadRequestError),
    (errors.ServerFaultError, az.AzureInternalError),
    (errors.ConnectionFailedError, az.AzureConnectionError),
    (errors.CancelledError, az.ManualInterrupt),
)


def command(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Make *function* a command of Azure CLI: give it a typed context, and raise Azure CLI's errors for the core's."""

    @functools.wraps(function)
    def run(cmd: AzCliCommand, **arguments: Any) -> _Result:
        try:
            with interruptible():
                context = CommandContext(cmd)
                result: Any = function(context, **arguments)
                if isinstance(result, dict):
                    result.update(context.shown)
                return result  # type: ignore[no-any-return]
        except ArtifactError as error:
            raise cli_error(error) from error

    return run


def cli_error(error: ArtifactError) -> Exception:
    """Return the Azure CLI error with the text and hint of *error*."""
    kind = next((cli for core, cli in _KINDS if isinstance(error, core)), az.AzureResponseError)
    return kind(f"{error.message.rstrip('.')}.", error.hint or None)
