"""The core's errors as Azure CLI's: the class decides the exit code and the category in Azure CLI's telemetry.

Exit codes: 3 for `ResourceNotFoundError`, 2 for usage, 1 for all others
(https://github.com/Azure/azure-cli/blob/dev/doc/error_handling_guidelines.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from azure.cli.core import azclierror as az
from azure.cli.core.commands import AzCliCommand
from knack.log import get_logger

from . import errors
from .cli.context import CommandContext
from .cli.interrupt import InterruptError, interruptible
from .cli.output.streams import make_streams_usable
from .errors import ArtifactError
from .known_secrets import KNOWN, protect_log_records

_logger = get_logger(__name__)
_Result = TypeVar("_Result")
_KINDS: tuple[tuple[type[ArtifactError], type[az.AzCLIError]], ...] = (
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
_TRANSFERS = frozenset({"push", "attach", "pull", "copy", "backup", "restore"})
_RESUME = "run the same command again to resume where possible"


def command(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Make *function* a command of Azure CLI: give it a typed context, and raise Azure CLI's errors for the core's."""

    @functools.wraps(function)
    def run(cmd: AzCliCommand, **arguments: Any) -> _Result:
        make_streams_usable()
        protect_log_records()
        try:
            with interruptible(_RESUME if function.__name__ in _TRANSFERS else ""):
                context = CommandContext(cmd)
                context.check_settings()
                context.cap_mbps = arguments.pop("cap_mbps", None)
                result: Any = function(context, **arguments)
                if isinstance(result, dict):
                    result.update(context.shown)
                return cast(_Result, _without_secrets(result))
        except InterruptError as error:
            # Azure CLI exits with 1 for all its errors but one.
            raised = cli_error(error)
            raised.print_error()
            raised.send_telemetry()
            raise SystemExit(error.exit_code) from error
        except ArtifactError as error:
            raise cli_error(error) from error

    return run


def _without_secrets(result: Any) -> Any:
    """Return *result*, objects and lists of JSON, without known secrets in any of its texts."""
    if isinstance(result, str):
        return KNOWN.hide(result)
    if isinstance(result, dict):
        return {key: _without_secrets(value) for key, value in result.items()}
    return [_without_secrets(item) for item in result] if isinstance(result, list) else result


def cli_error(error: ArtifactError) -> az.AzCLIError:
    """Return the Azure CLI error with the text and hint of *error*."""
    kind = next((cli for core, cli in _KINDS if isinstance(error, core)), az.AzureResponseError)
    if error.request:
        _logger.info("The request that failed: %s", error.request)
    done = f" Done before: {error.done}." if error.done else ""
    return kind(f"{error.summary.rstrip('.')}.{done}", error.hint or None)
