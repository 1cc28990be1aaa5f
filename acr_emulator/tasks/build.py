"""`docker build` without containers: apply the instructions in turn.

RUN fails as in an empty image; other instructions that the local Azure does not support fail with their name.
"""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable
from pathlib import Path

from acr_emulator.tasks.dockerfile import DockerfileError, Instruction, expand, parse
from acr_emulator.tasks.image import FinishedImage, Image, finish
from acr_emulator.tasks.layer import Ownership, copy_layer
from acr_emulator.tasks.run import BuildRequest

Output = Callable[[str], None]
Base = Callable[[str], Image]
"""Return the image of a FROM; raise `DockerfileError`."""


class Build:
    """One build in *context*; its layers are files in *folder*, other images come from *base*."""

    def __init__(self, request: BuildRequest, context: Path, folder: Path, output: Output, base: Base) -> None:
        self._request = request
        self._context = context
        self._folder = folder
        self._output = output
        self._base = base
        self._stages: dict[str, Image] = {}
        self._image: Image | None = None
        self._stage = ""
        self._arguments: dict[str, str] = {}
        self._global_arguments: dict[str, str] = {}

    def run(self, text: str) -> FinishedImage:
        """Build the Dockerfile *text*, or its part up to the target stage; raise `DockerfileError`."""
        instructions = parse(text)
        self._check_target(instructions)
        for number, instruction in enumerate(instructions, 1):
            if instruction.name == "FROM" and self._stage and self._stage == self._request.target:
                break
            self._output(f"Step {number}/{len(instructions)} : {instruction.original}")
            self._apply(instruction)
            self._output(f" ---> {self._identifier()}")
        image = self._current()
        if not image.history:
            raise DockerfileError("No image was generated. Is your Dockerfile empty?")
        return finish(image, self._folder)

    def _check_target(self, instructions: list[Instruction]) -> None:
        names = [_stage_name(i) for i in instructions if i.name == "FROM"]
        target = self._request.target
        if target and target not in names:
            raise DockerfileError(f"failed to reach build target {target} in Dockerfile")

    def _apply(self, instruction: Instruction) -> None:
        if instruction.name == "ARG":
            self._arg(instruction)
            return
        if instruction.name == "FROM":
            self._from(instruction)
            return
        image = self._current()
        handler = _HANDLERS.get(instruction.name)
        if instruction.name == "COPY":
            self._copy(image, instruction)
        elif handler is not None:
            handler(image, instruction, {**self._arguments, **image.environment()})
            image.record(f"/bin/sh -c #(nop)  {instruction.original}")
        else:
            raise DockerfileError(_refusal(instruction))

    def _arg(self, instruction: Instruction) -> None:
        for word in instruction.words():
            name, _, default = word.partition("=")
            given = {**self._global_arguments, **self._request.arguments}
            value = given.get(name, expand(default, self._arguments))
            self._arguments[name] = value
            if self._image is None:
                self._global_arguments[name] = value
        if self._image is not None:
            self._image.record(f"/bin/sh -c #(nop)  {instruction.original}")

    def _from(self, instruction: Instruction) -> None:
        base = expand(instruction.words()[0], self._global_arguments)
        if base in self._stages:
            self._image = copy.deepcopy(self._stages[base])
        elif base == "scratch":
            self._image = Image(self._request.architecture, self._request.variant)
        else:
            self._image = self._base(base)
        self._stage = _stage_name(instruction) or str(len(self._stages))
        self._stages[self._stage] = self._image
        self._arguments = {}

    def _copy(self, image: Image, instruction: Instruction) -> None:
        if "from" in instruction.flags:
            raise DockerfileError("the local Azure does not build COPY --from")
        values = {**self._arguments, **image.environment()}
        words = [expand(word, values) for word in instruction.words()]
        if len(words) < 2:
            raise DockerfileError("COPY requires at least two arguments, but only one was provided")
        *sources, destination = words
        file = self._folder / f"layer-{len(image.layers)}-{len(self._stages)}.tar.gz"
        layer = copy_layer(self._context, sources, _absolute(image, destination), _ownership(instruction), file)
        image.record(f"/bin/sh -c #(nop) {instruction.name} {' '.join(words)} ", layer)

    def _current(self) -> Image:
        if self._image is None:
            raise DockerfileError("no build stage in current context")
        return self._image

    def _identifier(self) -> str:
        if self._image is None or not self._image.layers:
            return ""
        return self._image.layers[-1].diff_id.partition(":")[2][:12]


def _stage_name(instruction: Instruction) -> str:
    words = instruction.words()
    if len(words) == 1:
        return ""
    if len(words) != 3 or words[1].lower() != "as":
        raise DockerfileError(f"Unable to understand line {instruction.original}")
    return words[2]


def _absolute(image: Image, destination: str) -> str:
    folder = destination.endswith("/") or destination in (".", "..")
    path = posixpath.normpath(posixpath.join("/", image.settings.get("WorkingDir", "/"), destination))
    return path + "/" if folder and path != "/" else path


def _ownership(instruction: Instruction) -> Ownership:
    owner, mode = instruction.flags.get("chown", "0:0"), instruction.flags.get("chmod")
    user, _, group = owner.partition(":")
    if not user.isdigit() or (group and not group.isdigit()):
        raise DockerfileError(f"unable to convert uid/gid chown string to host mapping: can't find uid for user {user}")
    if mode is not None and not (mode.isdigit() and set(mode) <= set("01234567")):
        raise DockerfileError(f"invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777")
    return Ownership(int(user), int(group or user), int(mode, 8) if mode else None)


def _refusal(instruction: Instruction) -> str:
    if instruction.name == "RUN":
        return (
            "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
            'failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory: '
            "unknown (the local Azure runs no containers)"
        )
    return f"the local Azure does not build {instruction.name}"


Values = dict[str, str]


def _env(image: Image, instruction: Instruction, values: Values) -> None:
    for name, value in instruction.pairs():
        image.set_environment(name, expand(value, values))


def _label(image: Image, instruction: Instruction, values: Values) -> None:
    labels = image.settings.setdefault("Labels", {})
    labels.update({expand(name, values): expand(value, values) for name, value in instruction.pairs()})


def _command(image: Image, instruction: Instruction, _values: Values) -> None:
    key = "Cmd" if instruction.name == "CMD" else "Entrypoint"
    image.settings[key] = instruction.json_form() or ["/bin/sh", "-c", instruction.rest]


def _workdir(image: Image, instruction: Instruction, values: Values) -> None:
    image.settings["WorkingDir"] = _absolute(image, expand(instruction.rest, values)).rstrip("/") or "/"


def _user(image: Image, instruction: Instruction, values: Values) -> None:
    image.settings["User"] = expand(instruction.rest, values)


def _stop_signal(image: Image, instruction: Instruction, values: Values) -> None:
    image.settings["StopSignal"] = expand(instruction.rest, values)


def _expose(image: Image, instruction: Instruction, values: Values) -> None:
    ports = image.settings.setdefault("ExposedPorts", {})
    for word in instruction.words():
        port = expand(word, values)
        ports[port if "/" in port else f"{port}/tcp"] = {}


def _volume(image: Image, instruction: Instruction, values: Values) -> None:
    image.settings.setdefault("Volumes", {}).update({expand(word, values): {} for word in instruction.words()})


_HANDLERS: dict[str, Callable[[Image, Instruction, Values], None]] = {
    "ENV": _env, "LABEL": _label, "CMD": _command, "ENTRYPOINT": _command, "WORKDIR": _workdir, "USER": _user,
    "STOPSIGNAL": _stop_signal, "EXPOSE": _expose, "VOLUME": _volume,
}  # fmt: skip
