"""ACR's own JSON, through the commands that list and show it."""

from __future__ import annotations

from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.oci.digest import digest_of, parse_digest
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.operations.list import ListOrder, list_artifacts, list_repositories
from azext_acrartifact.operations.list_referrers import flattened, list_referrers
from azext_acrartifact.operations.show import show
from tests.fuzz.canned import SERVER, URL, Canned, client, registry
from tests.fuzz.shown import is_harmless
from tests.support.descriptors import empty_descriptor

MANIFEST = build_manifest(empty_descriptor(), [], artifact_type="text/x")
TAG = parse_reference(f"{SERVER}/a:1")


def check(data: bytes) -> None:
    """Let the first line choose the command; the rest are responses, as `canned.Canned` reads them."""
    choice, _, responses = data.partition(b"\n")
    commands = (_artifacts, _repositories, _show, _digest, _referrers, _tokens, _lock)
    try:
        commands[choice[0] % len(commands) if choice else 0](responses)
    except ArtifactError as error:
        assert is_harmless(error.message)


def _artifacts(responses: bytes) -> None:
    for item in list_artifacts(registry(Canned(responses)), ListOrder("a", "name", 5)):
        assert parse_digest(item.digest) == item.digest
        assert all(isinstance(tag, str) for tag in item.tags)
        assert item.artifact_type is None or isinstance(item.artifact_type, str)


def _repositories(responses: bytes) -> None:
    names = list_repositories(registry(Canned(responses)), 5)
    assert len(names) <= 5
    assert all(isinstance(name, str) for name in names)


def _manifest_first(responses: bytes) -> Canned:
    head = f"200\nContent-Type: {MANIFEST.media_type}\n\n".encode()
    return Canned(head + MANIFEST.raw + b"\n%%\n" + responses)


def _show(responses: bytes) -> None:
    shown = show(registry(_manifest_first(responses)), TAG)
    assert all(isinstance(tag, str) for tag in shown.tags)
    assert isinstance(shown.properties, dict)


def _digest(responses: bytes) -> None:
    shown = show(registry(_manifest_first(responses)), TAG.at(MANIFEST.digest))
    assert all(isinstance(tag, str) for tag in shown.tags)


def _referrers(responses: bytes) -> None:
    tree = list_referrers(registry(Canned(responses)), TAG, recursive=True)
    found = list(flattened(tree.referrers))
    assert len(found) <= 10_000
    assert all(parse_digest(item.descriptor.digest) for item in found)


def _tokens(responses: bytes) -> None:
    canned = Canned(responses)
    token = TokenEndpoint(SERVER, URL, client(canned)).with_password("somebody", "secret", [])
    assert token.isprintable()
    assert token.isascii()
    assert len(canned.asked) <= 2, "a redirect was followed, or more"


def _lock(responses: bytes) -> None:
    changed = registry(Canned(responses)).metadata.change("a", str(digest_of(b"")), {"writeEnabled": False})
    assert isinstance(changed, dict)
