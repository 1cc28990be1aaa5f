"""The way from a command to its operation."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from azure.cli.core.azclierror import FileOperationError

from azext_acrartifact import custom
from azext_acrartifact.cli.arguments import ArtifactArgument, ContentArgument, LoginArgument
from azext_acrartifact.operations import push
from tests.unit.cli.az_command import az_command


def test_a_push_reaches_its_operation_in_four_frames_at_most(tmp_path: Path) -> None:
    artifact = ArtifactArgument("myregistry.azurecr.io/samples/a:1.0", None, None, None)
    nothing = (None,) * 3
    content = ContentArgument(
        [str(tmp_path / "missing.txt")], *nothing, False, *(None,) * 4, False, False, "gzip", *nothing
    )
    with pytest.raises(FileOperationError) as caught:
        custom.push(az_command(), artifact=artifact, login=LoginArgument("me", "x"), content=content)
    assert caught.value.__cause__ is not None
    frames = [(frame.filename, frame.name) for frame in traceback.extract_tb(caught.value.__cause__.__traceback__)]
    command, operation = frames.index((custom.__file__, "push")), frames.index((push.__file__, "push"))
    assert operation - command < 4
