"""ACR Tasks' quick builds as resources: schedule, list, show, logs, upload.

https://learn.microsoft.com/rest/api/containerregistry-tasks/registries/schedule-run, …/runs
"""

from __future__ import annotations

from typing import Any

from acr_emulator.arm.bodies import check_object, require_members, strings
from acr_emulator.arm.context import Operation
from acr_emulator.arm.errors import ArmError, invalid_body
from acr_emulator.messages import Response, json_response
from acr_emulator.tasks.run import BuildRequest, Run
from acr_emulator.tasks.runner import TaskService
from acr_emulator.tasks.storage import TaskStorage

_SCHEMA = {
    "type": str, "isArchiveEnabled": bool, "agentPoolName": str, "logTemplate": str, "imageNames": list,
    "isPushEnabled": bool, "noCache": bool, "dockerFilePath": str, "target": str, "arguments": list, "timeout": int,
    "platform": {"os": str, "architecture": str, "variant": str}, "agentConfiguration": {"cpu": int},
    "sourceLocation": str,
    "credentials": {"sourceRegistry": {"identity": str, "loginMode": str}, "customRegistries": dict},
}  # fmt: skip
_ARGUMENT = {"name": str, "value": str, "isSecret": bool}
_ARCHITECTURES = ("amd64", "x86", "386", "arm", "arm64")


class Runs:
    """The operations on the runs of *tasks*."""

    def __init__(self, tasks: TaskService, storage: TaskStorage) -> None:
        self._tasks = tasks
        self._storage = storage

    def schedule(self, operation: Operation) -> Response:
        """Handle POST scheduleRun: the queued run."""
        registry = operation.permitted_registry("scheduleRun/action")
        run = self._tasks.schedule(registry, operation.caller.claims, _parse(operation.request.json()))
        return json_response(200, run.render())

    def listing(self, operation: Operation) -> Response:
        """Handle GET runs: newest first, at most `$top`."""
        registry = operation.permitted_registry("runs/read")
        top = operation.request.param("$top") or "100"
        if not top.isdigit():
            raise ArmError(400, "InvalidParameters", f"$top '{top}' is not a number.")
        found = self._tasks.runs(registry)[: int(top)]
        return json_response(200, {"value": [run.render() for run in found]})

    def show(self, operation: Operation) -> Response:
        """Handle GET of a run."""
        return json_response(200, self._run(operation, "runs/read").render())

    def log_url(self, operation: Operation) -> Response:
        """Handle POST listLogSasUrl: the URL of the run's log."""
        run = self._run(operation, "runs/listLogSasUrl/action")
        return json_response(200, {"logLink": self._storage.log_url(run)})

    def upload_url(self, operation: Operation) -> Response:
        """Handle POST listBuildSourceUploadUrl: the URL to which `az acr build DIR` uploads its tar."""
        operation.permitted_registry("listBuildSourceUploadUrl/action")
        relative_path, url = self._storage.upload_url()
        return json_response(200, {"uploadUrl": url, "relativePath": relative_path})

    def _run(self, operation: Operation, action: str) -> Run:
        registry = operation.permitted_registry(action)
        run = self._tasks.run(registry, operation.names["run"])
        if run is None:
            raise ArmError(404, "NotFound", f"The run '{operation.names['run']}' was not found.")
        return run


def _parse(body: Any) -> BuildRequest:
    kind = body.get("type") if isinstance(body, dict) else None
    if kind != "DockerBuildRequest":
        raise invalid_body(f"the local Azure runs only 'DockerBuildRequest', not '{kind}'.")
    build = check_object(body, _SCHEMA, kind)
    require_members(build, ("dockerFilePath", "platform", "sourceLocation"), kind)
    require_members(build["platform"], ("os",), "PlatformProperties")
    timeout = build.get("timeout", 3600)
    if not 300 <= timeout <= 28800:
        raise ArmError(400, "InvalidParameters", "timeout must be from 300 to 28800 seconds.")
    source = build.get("credentials", {}).get("sourceRegistry", {})
    return BuildRequest(
        image_names=strings(build.get("imageNames", []), "imageNames"),
        push=build.get("isPushEnabled", True),
        dockerfile=build["dockerFilePath"],
        target=build.get("target"),
        arguments=_arguments(build.get("arguments", [])),
        architecture=_platform(build["platform"]),
        variant=build["platform"].get("variant"),
        source_location=build["sourceLocation"],
        source_identity=source.get("identity"),
        login_mode=source.get("loginMode"),
        custom_registries=_custom_registries(build.get("credentials", {}).get("customRegistries", {})),
    )


def _arguments(given: list[Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    for item in given:
        argument = check_object(item, _ARGUMENT, "Argument")
        require_members(argument, ("name",), "Argument")
        values[argument["name"]] = argument.get("value", "")
    return values


def _platform(platform: dict[str, Any]) -> str:
    if platform["os"].lower() != "linux":
        raise ArmError(400, "InvalidParameters", f"The local Azure builds only for linux, not '{platform['os']}'.")
    architecture = str(platform.get("architecture", "amd64")).lower()
    if architecture not in _ARCHITECTURES:
        raise ArmError(400, "InvalidParameters", f"'{architecture}' is not one of {', '.join(_ARCHITECTURES)}.")
    return architecture


def _custom_registries(given: dict[str, Any]) -> dict[str, tuple[str, str]]:
    secret = {"value": str, "type": str}
    schema = {"userName": secret, "password": secret, "identity": str}
    found: dict[str, tuple[str, str]] = {}
    for host, item in given.items():
        credentials = check_object(item, schema, "CustomRegistryCredentials")
        require_members(credentials, ("userName", "password"), "CustomRegistryCredentials")
        found[host.lower()] = (credentials["userName"].get("value", ""), credentials["password"].get("value", ""))
    return found
