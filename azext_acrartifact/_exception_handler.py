"""The core's errors as Azure CLI's: the class decides the exit code and what telemetry counts it as.

Only a `ResourceNotFoundError` ends with 3, usage with 2, all others with 1
(https://github.com/Azure/azure-cli/blob/dev/doc/error_handling_guidelines.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .errors import ArtifactError


def reports(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make *function*, a command, raise Azure CLI's errors instead of the core's."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> Any:
        from .cli.interrupt import interruptible

        try:
            with interruptible():
                return function(*args, **kwargs)
        except ArtifactError as error:
            raise cli_error(error) from error

    return command


def cli_error(error: ArtifactError) -> Exception:
    """The Azure CLI error that says the same as *error*."""
    from azure.cli.core import azclierror as az

    from . import errors

    table: tuple[tuple[type[ArtifactError], type[Exception]], ...] = (
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
    kind = next((cli for core, cli in table if isinstance(error, core)), az.AzureResponseError)
    return kind(f"{error.message.rstrip('.')}.", error.hint or None)
