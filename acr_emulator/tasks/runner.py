"""The agent: download the context, build, push, and write the log that `az acr build` streams."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from acr_emulator.jwt import Signer
from acr_emulator.tasks import ignore
from acr_emulator.tasks.archive import ArchiveError, unpack
from acr_emulator.tasks.base_image import BasePull, split_name
from acr_emulator.tasks.build import Base, Build
from acr_emulator.tasks.context import ContextError, Pull, parse_reference
from acr_emulator.tasks.dockerfile import DockerfileError
from acr_emulator.tasks.identity import credential_for
from acr_emulator.tasks.image import FinishedImage, Image
from acr_emulator.tasks.registry_client import Dispatch, RegistryClient, RegistryError
from acr_emulator.tasks.run import BuildRequest, Run
from acr_emulator.tasks.storage import TaskStorage
from acr_emulator.world import Registry, World

CLIENT = "acr-tasks"
DOWNLOAD_FAILED = (
    "failed to download context. Please check if the URL is incorrect. If it has credentials, please check if they "
    "are expired"
)
STEP_FAILED = "failed during run, err: exit status 1"
_FIRST_RUN = 36 * 10 + 1  # run ids are base 36 and begin at "ca1"


class RunFailed(Exception):
    """The run failed; the text follows `Error:` in the last line of the log."""


class TaskService:
    """All runs, newest last, each in a thread of its own."""

    def __init__(self, world: World, signer: Signer, storage: TaskStorage, dispatch: Dispatch) -> None:
        self._world = world
        self._signer = signer
        self._storage = storage
        self._dispatch = dispatch
        self._runs: dict[str, list[Run]] = {}
        self._lock = threading.Lock()

    def schedule(self, registry: Registry, claims: dict[str, Any], request: BuildRequest) -> Run:
        """Start a run and return it. *claims* are those of the caller's token."""
        with self._lock:
            runs = self._runs.setdefault(registry.name, [])
            run = Run(f"c{_base36(_FIRST_RUN + len(runs))}", registry, claims, request)
            runs.append(run)
        threading.Thread(target=self._execute, args=(run,), name=f"run-{run.run_id}", daemon=True).start()
        return run

    def runs(self, registry: Registry) -> list[Run]:
        """Return the registry's runs, newest first."""
        with self._lock:
            return list(reversed(self._runs.get(registry.name, [])))

    def run(self, registry: Registry, run_id: str) -> Run | None:
        """Return the run with this id, or None."""
        return next((run for run in self.runs(registry) if run.run_id == run_id), None)

    def _execute(self, run: Run) -> None:
        run.started, run.status = time.time(), "Running"
        folder = Path(tempfile.mkdtemp(prefix=f"{run.run_id}-", dir=self._storage.folder()))
        try:
            self._steps(run, folder)
            _end(run, "Succeeded", None)
        except RunFailed as error:
            _end(run, "Failed", str(error))
        except Exception as error:
            _end(run, "Error", f"{type(error).__name__}: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _steps(self, run: Run, folder: Path) -> None:
        context = folder / "workspace"
        context.mkdir()
        self._download(run, context, folder)
        run.log.stamped(f"Using acb_vol_{uuid.uuid4()} as the home volume")
        run.log.stamped("Setting up Docker configuration...")
        run.log.stamped("Successfully set up Docker configuration")
        self._login(run)
        started = time.time()
        image = self._build(run, context, folder)
        built = time.time()
        if run.request.push and run.request.image_names:
            self._push(run, image)
        _describe(run, built - started, time.time() - built)

    def _download(self, run: Run, context: Path, folder: Path) -> None:
        run.log.stamped("Downloading source code...")
        location = run.request.source_location
        try:
            if location.lower().startswith("oci://"):
                self._pull(run, location, context, folder)
            else:
                self._unpack_upload(location, context)
        except (ContextError, ArchiveError, OSError) as error:
            run.log.line(str(error))
            raise RunFailed(DOWNLOAD_FAILED) from error
        run.log.stamped("Finished downloading source code")

    def _pull(self, run: Run, location: str, context: Path, folder: Path) -> None:
        host, repository, reference = parse_reference(location)
        staging = folder / "staging"
        staging.mkdir()
        client = self._client(run, host)
        Pull(client, repository, context, staging, self._world.limits.unnamed_blob).run(reference)

    def _unpack_upload(self, location: str, context: Path) -> None:
        file = self._storage.upload(location)
        if file is None:
            raise ContextError(f"the local Azure downloads contexts only from oci:// and uploads, not from {location}")
        unpack(file, context, "", None)

    def _login(self, run: Run) -> None:
        host = run.registry.login_server
        if credential_for(self._world, self._signer, run, host).kind != "anonymous":
            run.log.stamped(f"Logging in to registry: {host}")
            run.log.stamped(f"Successfully logged into {host}")

    def _build(self, run: Run, context: Path, folder: Path) -> FinishedImage:
        run.log.stamped("Executing step ID: build. Timeout(sec): 28800, Working directory: '', Network: ''")
        run.log.stamped("Scanning for dependencies...")
        text = _read_dockerfile(run, context)
        run.log.stamped("Successfully scanned dependencies")
        run.log.stamped("Launching container with name: build")
        ignore.apply(context, run.request.dockerfile)
        run.log.line(f"Sending build context to Docker daemon  {_size(context)}")
        try:
            image = Build(run.request, context, folder, run.log.line, self._base_images(run, folder)).run(text)
        except DockerfileError as error:
            run.log.line(str(error))
            raise _step_failed(run, "build") from error
        run.log.line(f"Successfully built {image.config_digest.partition(':')[2][:12]}")
        for name in run.request.image_names:
            run.log.line(f"Successfully tagged {_full_name(run, name)}")
        run.log.stamped("Successfully executed container: build")
        return image

    def _push(self, run: Run, image: FinishedImage) -> None:
        run.log.stamped("Executing step ID: push. Timeout(sec): 3600, Working directory: '', Network: ''")
        for given in run.request.image_names:
            name = _full_name(run, given)
            host, _, path = name.partition("/")
            repository, _, tag = path.rpartition(":")
            run.log.stamped(f"Pushing image: {name}, attempt 1")
            run.log.line(f"The push refers to repository [{host}/{repository}]")
            try:
                image.push(self._client(run, host), repository, tag)
            except RegistryError as error:
                run.log.line(str(error))
                raise _step_failed(run, "push") from error
            for layer in image.layers:
                run.log.line(f"{layer.diff_id.partition(':')[2][:12]}: Pushed")
            run.log.line(f"{tag}: digest: {image.digest} size: {len(image.manifest)}")
            run.log.stamped(f"Successfully pushed image: {name}")
            descriptor = {"registry": host, "repository": repository, "tag": tag, "digest": image.digest}
            run.output_images.append(descriptor)

    def _base_images(self, run: Run, folder: Path) -> Base:
        puller = BasePull(run.request.architecture, run.request.variant, folder)

        def pull(name: str) -> Image:
            host, _, path = name.partition("/")
            if not path or all(registry.login_server != host for registry in self._world.registries):
                message = f"the local Azure builds FROM scratch and FROM images of its own registries, not FROM {name}"
                raise DockerfileError(message)
            host, repository, reference = split_name(name)
            return puller.pull(self._client(run, host), repository, reference)

        return pull

    def _client(self, run: Run, host: str) -> RegistryClient:
        credential = credential_for(self._world, self._signer, run, host)
        return RegistryClient(self._dispatch, host, credential, CLIENT)


def _read_dockerfile(run: Run, context: Path) -> str:
    name = run.request.dockerfile.replace("\\", "/").lstrip("/")
    file = context / name
    try:
        if not file.resolve().is_relative_to(context.resolve()):
            raise FileNotFoundError(name)
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        run.log.line(
            f"unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat /workspace/{name}: "
            "no such file or directory"
        )
        raise _step_failed(run, "build") from error


def _step_failed(run: Run, step: str) -> RunFailed:
    run.log.stamped(f"Container failed during run: {step}. No retries remaining.")
    run.log.line(f"failed to run step ID: {step}: exit status 1")
    return RunFailed(STEP_FAILED)


def _describe(run: Run, build_seconds: float, push_seconds: float) -> None:
    log = run.log
    log.stamped(f"Step ID: build marked as successful (elapsed time in seconds: {build_seconds:.6f})")
    log.stamped("Populating digests for step ID: build...")
    log.stamped("Successfully populated digests for step ID: build")
    if run.output_images:
        log.stamped(f"Step ID: push marked as successful (elapsed time in seconds: {push_seconds:.6f})")
    log.stamped("The following dependencies were found:")
    log.stamped("")
    for item in run.output_images:
        log.line("- image:")
        for key, value in item.items():
            log.line(f"    {key}: {value}")
        log.line("  runtime-dependency:\n    registry: registry.hub.docker.com\n    repository: library/scratch")
        log.line("    tag: latest\n  git: {}")


def _end(run: Run, status: str, error: str | None) -> None:
    seconds = round(time.time() - (run.started or run.created))
    reason = f". Error: {error}" if error else ""
    outcome = "was successful" if status == "Succeeded" else "failed"
    run.log.line(f"\nRun ID: {run.run_id} {outcome} after {seconds}s{reason}")
    run.error = error
    run.finished = time.time()
    run.status = status  # type: ignore[assignment]
    run.log.complete = {"Succeeded": "successful", "Failed": "failed"}.get(status, "internalerror")


def _full_name(run: Run, name: str) -> str:
    """Return *name* with its templates filled in, and with a registry and a tag."""
    for template, value in (("{{.Run.ID}}", run.run_id), ("{{.Run.Registry}}", run.registry.login_server)):
        name = name.replace(template, value)
    first, slash, _ = name.partition("/")
    full = name if slash and "." in first else f"{run.registry.login_server}/{name}"
    return full if ":" in full.rpartition("/")[2] else f"{full}:latest"


def _size(context: Path) -> str:
    return f"{sum(path.lstat().st_size for path in context.rglob('*')) / 1000:.3f}kB"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + text
    return text
