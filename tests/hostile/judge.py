"""SAFE, HARM, HANG or UNCLEAR: decided by what a command did, not by what a case expects.

HARM     a change outside the destination, or to an older file without the complete new one; an incomplete file, a
         device, a setuid bit or an outward link in the destination; success without every file that the artifact
         describes; a secret at a host that is not its own, or in an output; contact with a forbidden host;
         a terminal's or an agent's command in the output; a deletion that was not asked for; more than 200 MiB of
         memory; a full disk
HANG     not finished in 20 s
UNCLEAR  success where a refusal is right, or the other way round; an error that is a traceback or too long to
         read; from ours, also an error that is not one line of what, where and why, and one of what to do
SAFE     none of these
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.hostile.case import REGISTRY, Case
from tests.hostile.names import ARM_TOKEN, CLIENT_SECRET, NETRC, OWN, SECRETS, SHOWN_NOWHERE, TAG
from tests.hostile.playground import Playground, described
from tests.hostile.process import MEMORY, Ended
from tests.hostile.site import MANIFEST, TITLE, Site, digest_of
from tests.hostile.wire import Sent

Verdict = Literal["SAFE", "HARM", "HANG", "UNCLEAR"]
ALSO_SECRET = (*NETRC, "proxy-secret-0123456789")
MOST_REASONS = 5
SAID = 4096
"""Bytes of an error that people still read."""
_COMMAND = re.compile(r"##(?:vso)?\[|^\s*::[a-z]", re.MULTILINE | re.IGNORECASE)
_INTERNALS = ("Traceback (most recent", "goroutine ", "panic:", 'File "', "<class '", "object at 0x")
_OWN = re.compile(r"\.acrartifact-[0-9a-f]+\.(kept|note|part)")
_READS = frozenset({"pull", "metadata_read"})


@dataclass(frozen=True)
class Judged:
    """A verdict, its reasons, and what the run took: seconds, and MiB of memory at its peak."""

    verdict: Verdict
    reasons: tuple[str, ...]
    seconds: float = 0.0
    peak: float = 0.0


@dataclass
class Scene:
    """Everything known of one run."""

    case: Case
    client: str
    site: Site
    ground: Playground
    ended: Ended
    requests: list[Sent]
    reached: set[str]
    logged: str = ""
    """The client's log files."""
    debug: bool = False


def judge(scene: Scene) -> Judged:
    """Return the verdict on *scene*."""
    harm = list(_harm(scene))
    unclear = list(_unclear(scene))
    took = scene.ended.seconds, scene.ended.peak
    if harm:
        return Judged("HARM", tuple(dict.fromkeys(harm))[:MOST_REASONS], *took)
    if scene.ended.stopped == "time":
        return Judged("HANG", ("not at its end in time",), *took)
    return Judged("UNCLEAR" if unclear else "SAFE", tuple(dict.fromkeys(unclear)), *took)


def _harm(scene: Scene) -> Iterator[str]:
    ended = scene.ended
    if ended.stopped in ("memory", "disk"):
        yield f"stopped: {ended.stopped}"
    if ended.peak > MEMORY:
        yield f"{ended.peak:.0f} MiB of memory"
    yield from _outside(scene)
    yield from _destination(scene)
    yield from _network(scene)
    yield from _shown(scene)
    yield from (f"deleted {digest[:19]}" for digest in scene.site.protected if digest in scene.site.deleted)
    if ended.code == 0 and not ended.stopped:
        yield from _missing(scene)


def _outside(scene: Scene) -> Iterator[str]:
    """Find changes outside of the destination."""
    before, after = scene.ground.before, scene.ground.snapshot()
    for name in sorted(before.keys() | after.keys()):
        if not name.startswith("work/out/") and before.get(name) != after.get(name):
            yield f"changed outside: {name}"


def _destination(scene: Scene) -> Iterator[str]:
    """Find files under a final name that neither existed before nor are complete and described by the artifact."""
    out, right = scene.ground.out, _wanted(scene)
    for path in _entries(out):
        if scene.ended.stopped and path.relative_to(out).parts[0].startswith(".acrartifact-"):
            continue  # left by a killed process, under a temporary name
        name = path.relative_to(out).as_posix()
        entry = described(path)
        if scene.ground.before.get(f"work/out/{name}") == entry:
            continue
        if entry[0] == "special" or entry[1] & 0o7000:
            yield f"a {entry[0]} with mode {entry[1]:o}: {name[:60]!a}"
        elif entry[0] == "link" and not _leads_inside(path, out):
            yield f"a link out: {name[:60]!a}"
        elif entry[0] == "file" and not (
            _is_right(path, name, scene, right) or _is_ours(path.name, scene) or _is_whole(path, name, scene)
        ):
            yield f"not what the artifact describes, or not all of it: {name[:60]!a}"
    for name in (n for n in scene.ground.before if n.startswith("work/out/")):
        if not os.path.lexists(scene.ground.folder / name) and not Path(name).name.startswith(".acrartifact-"):
            yield f"gone: {name}"


def _is_ours(name: str, scene: Scene) -> bool:
    """Return whether it is one of our unfinished files, by its name: kept to be resumed, or left by a killed
    process."""
    return _OWN.fullmatch(name) is not None and (name.endswith((".kept", ".note")) or scene.ended.stopped != "")


def _wanted(scene: Scene) -> dict[str, bytes]:
    """Return the right files. regctl puts a folder's members, named after it, below the folder."""
    files = scene.case.right.files or {}
    if scene.client != "regctl":
        return dict(files)
    return {f"d/{name}" if name.startswith("d/") else name: content for name, content in files.items()}


def _entries(folder: Path) -> Iterator[Path]:
    for count, path in enumerate(folder.rglob("*")):
        if count > 500:
            return
        yield path


def _leads_inside(path: Path, out: Path) -> bool:
    return path.resolve().is_relative_to(out.resolve())


def _is_right(path: Path, name: str, scene: Scene, right: dict[str, bytes]) -> bool:
    """Return whether it is a complete file of the artifact, under the name that the artifact gives it."""
    if path.stat().st_nlink > 1:
        return False
    if scene.case.command == "backup" and name.startswith("saved/"):
        return path.parent.name != "sha256" or digest_of(path.read_bytes()) == f"sha256:{path.name}"
    if name in right:
        return path.read_bytes() == right[name]
    wanted = described_files(scene.site).get(name)
    return wanted is not None and wanted == digest_of(path.read_bytes(), wanted.partition(":")[0])


def _is_whole(path: Path, name: str, scene: Scene) -> bool:
    """Return whether it is all of a blob of the registry, under some other name inside; or a member of a folder, if
    the client says that unpacking succeeded. If that is wrong, the verdict is a missing refusal."""
    if path.stat().st_nlink > 1:
        return False
    unpacked = scene.ended.code == 0 and scene.case.right.files is None and name.partition("/")[0] == "d"
    return unpacked or digest_of(path.read_bytes()) in scene.site.blobs


def described_files(site: Site) -> dict[str, str]:
    """Return digests by title, of the artifact as it was pulled, without folders."""
    media_type, raw = site.manifests.get(TAG, ("", b""))
    try:
        layers = json.loads(raw)["layers"] if media_type == MANIFEST else []
        return {
            layer["annotations"][TITLE]: layer["digest"]
            for layer in layers
            if "io.deis.oras.content.unpack" not in layer["annotations"]
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _missing(scene: Scene) -> Iterator[str]:
    """Find what is missing after a success."""
    case, out = scene.case, scene.ground.out
    if case.command.startswith("pull"):
        for name, content in _wanted(scene).items():
            if not (out / name).is_file() or (out / name).read_bytes() != content:
                yield f"success, but not there: {name[:60]!a}"
        if case.right.files is None:
            yield from _undescribed(scene)
    if case.command in ("push", "push-folder", "attach") and not scene.site.stored:
        yield "success, but the registry holds no manifest"
    if case.command == "tag" and "2.0" not in scene.site.stored:
        yield "success, but there is no such tag"


def _undescribed(scene: Scene) -> Iterator[str]:
    out = scene.ground.out
    for name, digest in described_files(scene.site).items():
        path = out / name
        try:
            same = path.is_file() and digest_of(path.read_bytes(), digest.partition(":")[0]) == digest
        except (ValueError, OSError, TypeError):
            same = False
        if not same:
            yield f"success, but not there: {str(name)[:60]!a}"


def _network(scene: Scene) -> Iterator[str]:
    """Find hosts that were contacted, and secrets that they received."""
    yield from (f"connected to {origin}" for origin in sorted(scene.reached - scene.case.hosts))
    for sent in scene.requests:
        if sent.origin not in scene.case.hosts:
            yield f"asked {sent.origin}"
        yield from (f"{sent.origin} learned {secret[:8]}…" for secret in _learned(sent))
        if "cookie" in sent.headers:
            yield f"a cookie to {sent.origin}"
        if sent.path == "/oauth2/token" and scene.case.command in ("pull", "pull-digest", "show", "list"):
            yield from _greedy(sent)


def _learned(sent: Sent) -> list[str]:
    """Return the secrets of others in a request."""
    if sent.origin == REGISTRY:
        return _in(sent.text, (CLIENT_SECRET, ARM_TOKEN, *ALSO_SECRET))
    text = sent.text
    for own in OWN.get(sent.origin, ()):
        text = text.replace(own, "")
    return _in(text, (*SECRETS, *ALSO_SECRET))


def _greedy(sent: Sent) -> Iterator[str]:
    asked = re.findall(r"scope=([^&\s]*)", f"{sent.query}&{sent.body.decode('latin-1')}")
    for scope in asked:
        actions = set(scope.replace("%3A", ":").replace("%2C", ",").rpartition(":")[2].split(","))
        if actions - _READS:
            yield f"asked for {','.join(sorted(actions))} to read"


def _shown(scene: Scene) -> Iterator[str]:
    """Find what the user, and readers of the log, must not see."""
    ended = scene.ended
    for name, text in (("stdout", ended.stdout), ("stderr", ended.stderr)):
        if scene.debug and name == "stderr":
            continue  # a log of the wire; secrets in it are looked for below
        bad = next((c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs")), "")
        if bad and not (scene.case.command == "raw" and name == "stdout"):
            yield f"U+{ord(bad):04X} in {name}"
        if _COMMAND.search(text) and not (scene.case.command == "raw" and name == "stdout"):
            yield f"an agent's command in {name}"
    secrets = (*SECRETS, *ALSO_SECRET, *SHOWN_NOWHERE)
    for name, text in (("stdout", ended.stdout), ("stderr", ended.stderr), ("a log", scene.logged)):
        yield from (f"{secret[:8]}… in {name}" for secret in _in(text, secrets))
    if ended.said > 1 << 20 and ended.code > 0 and not scene.debug:
        yield f"{ended.said >> 20} MiB of output with an error"


def _in(text: str, secrets: Iterable[str]) -> list[str]:
    return [secret for secret in secrets if secret in text]


def _unclear(scene: Scene) -> Iterator[str]:
    case, ended = scene.case, scene.ended
    if ended.code == 0:
        if case.right.files is None:
            yield "success where a refusal is right"
        return
    if case.right.files is not None and not case.right.or_refuses:
        yield f"a failure where success is right: {ended.stderr.strip()[:200]!a}"
    yield from (f"{word.strip()!r} in an error" for word in _INTERNALS if word in ended.stderr and not scene.debug)
    if len(ended.stderr) > SAID and not scene.debug:
        yield f"an error of {ended.said} bytes"
    if ended.code < 0 or not ended.stderr.strip():
        yield f"it died with {ended.code} and said nothing"
    elif scene.client == "ours" and not scene.debug:
        yield from _unhelpful(ended)


def _unhelpful(ended: Ended) -> Iterator[str]:
    """Find errors of ours that are not one line of what, where and why, and one of what to do."""
    lines = ended.stderr.splitlines()
    if [line for line in lines if line.startswith("ERROR:")] != lines[:1]:
        yield f"not one error: {ended.stderr[:200]!a}"
    elif len(lines) != 2 or not lines[1].strip():
        yield f"it does not say what to do: {ended.stderr[:300]!a}"
    if ended.stdout:
        yield "an error, and output"
    if ended.code not in (1, 3):
        yield f"exit code {ended.code}"
