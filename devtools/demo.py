"""`dev.py demo`: store a file in a registry and get it back, with `az` alone, on a local Azure.

The commands are those of learn.microsoft.com/azure/container-registry/container-registry-manage-artifact,
where they need ORAS and Docker.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devtools import session, steps, wheel
from devtools.transcript import Check, Transcript

SERVER = f"{session.REGISTRY}.azurecr.io"
IMAGE = "samples/artifact:1.0"
CONFIG_TYPE = "application/vnd.unknown.config.v1+json"
LAYER_TYPE = "application/vnd.unknown.layer.v1+txt"
CONTENT = "Here is an artifact\n"
DOCKERFILE = "FROM scratch\nCOPY hello-world.dockerfile /hello-world.dockerfile\n"
COMMON_FIELDS = ("changeableAttributes", "createdTime", "digest", "lastUpdateTime", "name", "signed")
"""What `az acr repository show --image` prints; ours prints the same and more."""

NULL, HERE = ("NUL", ".\\") if os.name == "nt" else ("/dev/null", "./")

NEXT_STEPS = """\
The same commands work on your own registry, after

  az extension add --source {wheel}
  az login

with its login server instead of {server}. In a pipeline, or without `az login`, give push and
pull `--username` and `--password-stdin`. `az acr artifact --help` lists all commands, and
`python3 dev.py shell` opens a shell on this local Azure, where nothing can break."""


def holds(**expected: object) -> Check:
    """Check that the output is a JSON object with these values."""
    return _check(
        lambda shown: {k: shown.get(k) for k in expected} == expected, f"the output does not contain {expected}"
    )


def same_as(other: str) -> Check:
    """Check that the output is a JSON object with the same values as *other* in the fields that both commands print."""
    first = _object(other)
    wanted = {field: first.get(field) for field in COMMON_FIELDS}
    return _check(lambda shown: wanted == {field: shown.get(field) for field in COMMON_FIELDS}, f"it is not {wanted}")


def files_are(*titles: str) -> Check:
    """Check that the output lists the files *titles*, by title (push) or by path (pull)."""

    def is_right(shown: dict[str, Any]) -> bool:
        files = shown.get("files", [])
        return [file.get("title") or Path(file.get("path", "")).name for file in files] == list(titles)

    return _check(is_right, f"the output does not list {', '.join(titles)}")


def _check(is_right: Callable[[dict[str, Any]], bool], problem: str) -> Check:
    return lambda output: None if is_right(_object(output)) else problem


def _object(output: str) -> dict[str, Any]:
    try:
        value = json.loads(output)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def artifact(page: Transcript) -> None:
    """Push a text file, show it, pull it by media type and delete it, with our commands and with those of Azure CLI."""
    page.prose("Push a file with media types of your own. The null device gives an empty config.")
    _push(page)
    page.prose("Show it, with this extension and with Azure CLI's own command.")
    shown = page.az(f"acr artifact show --name {session.REGISTRY} --image {IMAGE}", check=holds(name="1.0"))
    page.az(f"acr repository show --name {session.REGISTRY} --image {IMAGE}", check=same_as(shown))
    page.prose("Remove the local file and pull the artifact's text files.")
    page.remove("artifact.txt")
    page.az(f"acr artifact pull {SERVER}/{IMAGE}", f"--media-type {LAYER_TYPE}", check=files_are("artifact.txt"))
    page.content("artifact.txt", CONTENT)
    page.prose("Delete it from the registry. After that, `show` fails.")
    page.az(f"acr artifact delete --name {session.REGISTRY} --image {IMAGE} --yes")
    page.az(f"acr artifact show --name {session.REGISTRY} --image {IMAGE}", code=3)
    page.prose("Push it again. Azure CLI's own delete works too.")
    _push(page)
    page.az(f"acr repository delete --name {session.REGISTRY} --image {IMAGE} --yes")
    page.az(f"acr repository show --name {session.REGISTRY} --image {IMAGE}", code=3)


def build(page: Transcript) -> None:
    """Store a Dockerfile as an artifact and let ACR Tasks build from it."""
    page.prose("A Dockerfile can be an artifact too. Without a media type it gets the default one.")
    page.content("hello-world.dockerfile", DOCKERFILE)
    check = files_are("hello-world.dockerfile")
    page.az(f"acr artifact push {SERVER}/dockerfile:1.0 --file hello-world.dockerfile", check=check)
    page.prose("ACR Tasks build from the artifact.")
    page.az(
        f"acr build --registry {session.REGISTRY} --image builds/hello-world:v1",
        f"--file hello-world.dockerfile oci://{SERVER}/dockerfile:1.0",
    )
    page.az(f"acr artifact show {SERVER}/builds/hello-world:v1", check=holds(name="v1"))


def _push(page: Transcript) -> None:
    page.az(
        f"acr artifact push {SERVER}/{IMAGE}",
        f"--manifest-config {NULL}:{CONFIG_TYPE}",
        f"--file {HERE}artifact.txt:{LAYER_TYPE}",
        check=files_are("artifact.txt"),
    )


def main(_arguments: list[str]) -> int:
    """Run the demo; return 1 if one of its commands did not end as expected."""
    steps.say("==> building the wheel")
    built = wheel.build().relative_to(steps.ROOT)
    steps.say("==> starting the local Azure")
    with tempfile.TemporaryDirectory() as temporary, session.opened(Path(temporary)) as opened:
        folder = opened.folder / "work"
        folder.mkdir()
        (folder / "artifact.txt").write_text(CONTENT, encoding="utf-8", newline="\n")
        (folder / "hello-world.dockerfile").write_text(DOCKERFILE, encoding="utf-8", newline="\n")
        page = Transcript(opened.az(), folder, opened.variables)
        page.prose("Sign in as a service principal of the local Azure, and add the extension.")
        page.az(*session.sign_in())
        page.az(f"extension add --source {built} --yes", folder=steps.ROOT)
        page.content("artifact.txt", CONTENT)
        artifact(page)
        build(page)
    page.prose(page.ending())
    print(NEXT_STEPS.format(wheel=built, server=SERVER))
    return 1 if page.failures else 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
