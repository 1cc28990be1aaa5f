"""Resource Manager's errors.

Shape: https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors;
codes: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
"""

from __future__ import annotations

from collections.abc import Sequence

from acr_emulator.messages import Response, json_response


class ArmError(Exception):
    """An error response: HTTP *status* and `{"error": {code, message}}`."""

    def __init__(self, status: int, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = list(headers)

    def response(self) -> Response:
        """Return the response with this error."""
        return json_response(self.status, {"error": {"code": self.code, "message": self.message}}, self.headers)


def resource_group_not_found(name: str) -> ArmError:
    """Return 404 for a resource group that does not exist."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def registry_not_found(name: str, group: str) -> ArmError:
    """Return 404 for a registry that does not exist in *group*."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource 'Microsoft.ContainerRegistry/registries/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def subscription_not_found(subscription_id: str) -> ArmError:
    """Return 404 for a subscription that does not exist."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")


def invalid_body(message: str) -> ArmError:
    """Return 400 for a body that the operation does not accept."""
    return ArmError(400, "InvalidRequestContent", f"The request content was invalid: {message}")
