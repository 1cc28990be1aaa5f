"""The tree of errors, and their texts."""

from __future__ import annotations

import inspect
import logging
import re
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact._exception_handler import cli_error, command
from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.errors import ArtifactError, NotFoundError, RegistryError, restated
from azext_acrartifact.known_secrets import KNOWN
from tests.unit.cli.az_command import az_command

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ArtifactError)]
EXPECTED = {
    "ArtifactError": "AzureResponseError",
    "InvalidInputError": "InvalidArgumentValueError",
    "InvalidReferenceError": "InvalidArgumentValueError",
    "LocalFileError": "FileOperationError",
    "RefusedError": "AzureResponseError",
    "UnsafeContentError": "AzureResponseError",
    "DigestMismatchError": "AzureResponseError",
    "InvalidManifestError": "AzureResponseError",
    "SignatureError": "AzureResponseError",
    "ProtocolError": "AzureResponseError",
    "SignInError": "UnauthorizedError",
    "RegistryError": "AzureResponseError",
    "PermissionDeniedError": "ForbiddenError",
    "NetworkRuleError": "ForbiddenError",
    "NotFoundError": "ResourceNotFoundError",
    "LockedError": "ForbiddenError",
    "ThrottledError": "AzureResponseError",
    "RejectedError": "BadRequestError",
    "ServerFaultError": "AzureInternalError",
    "ConnectionFailedError": "AzureConnectionError",
    "NotListeningError": "AzureConnectionError",
    "StalledError": "AzureConnectionError",
    "UnresolvedHostError": "AzureConnectionError",
    "TlsError": "AzureConnectionError",
    "ProxyError": "AzureConnectionError",
    "CancelledError": "ManualInterrupt",
}


def drawn() -> dict[str, str | None]:
    """Return each class in the module's drawing, with its parent there."""
    parents: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([ │├└─]*)([A-Z]\w+Error)\b", line)
        if not match:
            continue
        depth, name = len(match.group(1)), match.group(2)
        while path and path[-1][0] >= depth:
            path.pop()
        parents[name] = path[-1][1] if path else None
        path.append((depth, name))
    return parents


def test_the_drawing_is_the_tree() -> None:
    tree = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}
    tree["ArtifactError"] = None  # type: ignore[assignment]
    assert drawn() == tree


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_becomes_one_of_azure_cli(kind: type[ArtifactError]) -> None:
    shown = cli_error(kind("It failed", where="here", why="because", hint="Do this."))
    assert type(shown).__name__ == EXPECTED[kind.__name__]
    assert str(shown) == "It failed (here): because."
    assert shown.recommendations == ["Do this."]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_text_of_an_error_has_a_line_break_or_an_escape(kind: type[ArtifactError]) -> None:
    nasty = "a\nb\r\x1b[31m\u202e##vso[task]\ud800" + "x" * 5000
    error = kind(nasty, where=nasty, why=nasty, hint=nasty)
    for text in (error.what, error.where, error.why, error.hint, error.message, str(error)):
        assert "\n" not in text
        assert "\x1b" not in text
        assert "##vso[" not in text
        assert len(text) < 2000
        text.encode()


def test_a_message_has_the_texts_that_are_given() -> None:
    assert ArtifactError("It failed").message == "It failed"
    assert ArtifactError("It failed", why="because").message == "It failed: because"
    assert str(ArtifactError("It failed", where="here")) == "It failed (here)"


def test_a_message_ends_with_one_dot() -> None:
    assert str(cli_error(ArtifactError("It failed", why="it says so."))) == "It failed: it says so."
    partly = restated(ArtifactError("It failed"), done="1.0 was stored")
    assert str(cli_error(partly)) == "It failed. Done before: 1.0 was stored."


def test_a_registry_error_has_its_status_code_and_correlation_id() -> None:
    error = NotFoundError("Gone", status=404, code="TAG\nUNKNOWN", correlation_id="12\x1b34")
    assert (error.status, error.code) == (404, "TAG\\nUNKNOWN")
    assert error.message == "Gone (correlation id 12\\x1b34)"
    assert isinstance(error, RegistryError)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_restated_error_keeps_its_kind_and_its_correlation_id(kind: type[ArtifactError]) -> None:
    found = restated(kind("It failed", where="here", why="a", hint="b", correlation_id="guid-1"), why="c\n", hint="d")
    assert type(found) is kind
    assert str(found) == found.message == "It failed (here): c\\n (correlation id guid-1)"
    assert found.hint == "d"


def test_a_command_raises_the_errors_of_azure_cli_and_any_bug() -> None:
    from azure.cli.core.azclierror import ResourceNotFoundError

    @command
    def missing(cmd: CommandContext) -> None:
        """Run a command."""
        raise NotFoundError("Gone")

    @command
    def broken(cmd: CommandContext) -> None:
        raise KeyError("a bug")

    with pytest.raises(ResourceNotFoundError, match="Gone") as caught:
        missing(az_command())
    assert isinstance(caught.value.__cause__, NotFoundError)
    assert missing.__doc__ == "Run a command."
    with pytest.raises(KeyError):
        broken(az_command())
    assert command(lambda cmd, value: value + 1)(az_command(), value=1) == 2


def test_neither_a_result_nor_a_log_of_a_command_repeats_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    @command
    def repeats(cmd: CommandContext) -> Any:
        KNOWN.add("correct horse")
        logging.getLogger("cli.azure.cli.core.sdk.policies").warning("%r", {"value": "correct horse"})
        return {"a": ["correct horse", 1, None, {"b": "a correct%20horse"}], "c": True}

    before = logging.getLogRecordFactory()
    try:
        assert repeats(az_command()) == {"a": ["…", 1, None, {"b": "a …"}], "c": True}
    finally:
        logging.setLogRecordFactory(before)
    assert "{'value': '…'}" in caplog.text
    assert "correct" not in caplog.text


SENT = "GET https://myregistry.azurecr.io"


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (NotFoundError("The artifact does not exist", where=f"{SENT}/v2/a/b/manifests/1.0", why="no"),
         "Tag 1.0 does not exist in myregistry.azurecr.io/a/b"),
        (NotFoundError("The tag does not exist", where=f"{SENT}/acr/v1/a%2Fb/_tags/1.0"),
         "Tag 1.0 does not exist in myregistry.azurecr.io/a/b"),
        (NotFoundError("The artifact does not exist", where=f"{SENT}/v2/a/manifests/sha256:0", why="no"),
         "Digest sha256:0 does not exist in myregistry.azurecr.io/a"),
        (NotFoundError("The artifact does not exist", where=f"{SENT}/v2/a/b/manifests/1", code="NAME_UNKNOWN"),
         "Repository a/b does not exist in myregistry.azurecr.io"),
        (NotFoundError("The repository does not exist", where=f"{SENT}/acr/v1/a/b/_manifests", why="no"),
         "Repository a/b does not exist in myregistry.azurecr.io"),
        (NotFoundError("Could not list the referrers", where=f"{SENT}/v2/a/referrers/sha256:0", why="no"),
         "Could not list the referrers (myregistry.azurecr.io/a@sha256:0): no"),
        (RegistryError("The manifest was not stored", where=f"{SENT}/v2/a/manifests/1".replace("GET", "PUT"), why="no"),
         "The manifest was not stored (myregistry.azurecr.io/a:1): no"),
        (RegistryError("Could not upload", where=f"{SENT}/v2/a/b/blobs/uploads/x-y", why="no"),
         "Could not upload (myregistry.azurecr.io/a/b): no"),
        (ArtifactError("Could not read", where="GET https://x.blob.core.windows.net/c/d"),
         "Could not read (x.blob.core.windows.net)"),
        (ArtifactError("Could not read", where="a.txt", why="no"), "Could not read (a.txt): no"),
    ],
)  # fmt: skip
def test_a_summary_names_the_artifact_and_not_the_request(error: ArtifactError, summary: str) -> None:
    assert error.summary == summary
    assert error.request == (error.where if "https://" in error.where else "")


def test_no_control_character_comes_out_of_a_url() -> None:
    shown = RegistryError("It failed", where=f"{SENT}/v2/a%1b[31m/manifests/%0a%1b").summary
    assert shown.isprintable()


def test_the_request_and_its_correlation_id_are_for_verbose(caplog: pytest.LogCaptureFixture) -> None:
    error = RegistryError("It failed", where=f"{SENT}/v2/a/manifests/1", correlation_id="guid-1")
    with caplog.at_level(logging.INFO):
        shown = str(cli_error(error))
    assert shown == "It failed (myregistry.azurecr.io/a:1)."
    assert f"{SENT}/v2/a/manifests/1, correlation id guid-1" in caplog.text
