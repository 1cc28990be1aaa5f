"""Texts that users type: references, platforms, files with types, patterns, annotations."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from azext_acrartifact.errors import ArtifactError, InvalidInputError, InvalidReferenceError
from azext_acrartifact.files.globs import Glob
from azext_acrartifact.files.selection import media_type_matches
from azext_acrartifact.oci.api import path_of
from azext_acrartifact.oci.mediatypes import is_media_type
from azext_acrartifact.oci.reference import check_tag, is_loopback, parse_reference
from azext_acrartifact.operations.annotations import collect_annotations
from azext_acrartifact.operations.file_spec import parse_file_spec, title_of
from azext_acrartifact.operations.platforms import parse_platform, shown
from azext_acrartifact.operations.purge_filters import before, parse_age, parse_time
from azext_acrartifact.transport.messages import origin_of
from tests.fuzz.shown import is_harmless

_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)


def check(data: bytes) -> None:
    """Let the first byte choose how the rest is read."""
    text = data[1:].decode("utf-8", "surrogateescape")
    readers = (_reference, _reference, _file, _platform, _pattern, _tag, _annotation, _age, _time)
    try:
        readers[data[0] % len(readers) if data else 0](text)
    except ArtifactError as error:
        assert isinstance(error, InvalidInputError), type(error)
        assert is_harmless(error.message)
        assert error.why or error.hint


def _reference(text: str) -> None:
    """Require that a valid reference parses the same when printed, and gives a URL of its own server."""
    try:
        found = parse_reference(text)
    except InvalidReferenceError:
        return
    assert parse_reference(str(found)) == found
    version = found.version or "latest"
    assert _VERSION.fullmatch(version)
    url = f"https://{found.server}{path_of(found.repository, 'manifests', version)}"
    scheme, host, port = origin_of(url)
    assert (scheme, host) == ("https", found.server.partition(":")[0])
    assert port == 443 or is_loopback(found.server)
    path = urlsplit(url).path
    assert path == f"/v2/{found.repository}/manifests/{version}"
    assert not {"", ".", ".."} & set(path.split("/")[1:])
    assert len(found.repository) <= 255


def _file(text: str) -> None:
    if not text or "\x00" in text:
        return
    found = parse_file_spec(text)
    assert found.path
    assert text.replace("\\", "/").startswith(found.path.replace("\\", "/"))
    assert found.media_type is None or is_media_type(found.media_type)
    title = title_of(found.path)
    assert not title.startswith(("/", "../"))
    assert title != ".."


def _platform(text: str) -> None:
    assert shown(parse_platform(text)) == text


def _pattern(text: str) -> None:
    pattern, _, path = text.partition("\n")
    # A slow pattern is the user's own.
    if pattern.count("*") > 6 or len(path) > 200:
        return
    glob = Glob(pattern)
    assert not glob.matches(path) or glob.matches(path, folder=True)
    assert not glob.covers(path) or glob.may_match_below(path)
    assert media_type_matches(pattern, pattern.replace("*", "x")) is True


def _tag(text: str) -> None:
    assert _VERSION.fullmatch(check_tag(text))


def _annotation(text: str) -> None:
    ((key, value),) = collect_annotations([text], None).manifest.items()
    assert f"{key}={value}" == text
    assert key.strip()


def _age(text: str) -> None:
    age = parse_age(text)
    assert age >= timedelta(0)
    assert before(NOW, age) <= NOW


def _time(text: str) -> None:
    """Read a time, which a registry sends."""
    found = parse_time(text)
    assert found is None or found.tzinfo is timezone.utc
