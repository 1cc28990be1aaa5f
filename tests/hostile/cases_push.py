"""Pushes: where the user's bytes are sent, and whose confirmation counts (R7, R8, R12, R17, R21)."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import EITHER, REFUSES, SUCCEEDS, Case, Command, Right
from tests.hostile.cases_manifests import raw
from tests.hostile.names import EVIL, METADATA, REPOSITORY, SERVER, STATE
from tests.hostile.site import INDEX, NO_DIGEST, Play, Site, error, index, on, response, rule, site, unending
from tests.hostile.wire import Response, Sent

BEGIN = "POST .*/blobs/uploads/"
STORE = "(PUT|PATCH) .*/blobs/uploads/"
TAGGED = "PUT .*/manifests/"
HERE = f"/v2/{REPOSITORY}/blobs/uploads/session-0?_state={STATE}"


def located(location: str) -> Callable[[], Site]:
    """Return a maker of a registry that wants uploads at *location*, where any server accepts them."""

    def begin(made: Site, sent: Sent) -> Response:
        made.sessions["session-0"] = b""
        return response(202, Location=location, Range="0-0")

    return lambda: site(None, rule(BEGIN, begin), rule(rf"https?://(?!{SERVER}/)", response(201)))


def _lying_about_blobs(made: Site, sent: Sent) -> Response | None:
    """Claim every blob, until the manifest comes."""
    return response(200)


def _forgets(made: Site, sent: Sent) -> Response | None:
    made.sessions.clear()
    return error(404, "BLOB_UPLOAD_UNKNOWN")


LOCATIONS = {
    "evil": f"https://{EVIL}/upload?_state={STATE}",
    "port": f"https://{SERVER}:8443/upload",
    "http": f"http://{SERVER}{HERE}",
    "no-scheme": f"//{EVIL}/upload",
    "metadata": f"http://{METADATA}/x",
    "user": f"https://{SERVER}@{EVIL}/x",
    "suffix": f"https://{SERVER}.{EVIL}/x",
    "backslash": f"https://{EVIL}\\@{SERVER}/x",
    "file": "file:///etc/passwd",
    "empty": "",
    "control": f"https://{SERVER}/\x1b[2J",
    "broken": "https://[::1",
}
STORES: dict[str, tuple[str, str, Play, Right]] = {
    "redirect": ("R7", "a file is redirected elsewhere", response(307, Location=f"https://{EVIL}/x"), REFUSES),
    "redirect-302": ("R7", "a file is redirected elsewhere by 302", response(302, Location=f"https://{EVIL}/x"), REFUSES),
    "digest-lie": ("R12", "the registry says that it stored other bytes", response(201, Docker_Content_Digest=NO_DIGEST), REFUSES),
    "digest-ansi": ("R14", "it says that it stored a terminal command", response(201, Docker_Content_Digest="\x1b[2J##vso[a]b"), REFUSES),
    "200": ("R7", "200 instead of 201", response(200), REFUSES),
    "204": ("R7", "204 instead of 201", response(204), REFUSES),
    "202-always": ("R17", "202 after every chunk, and never 201", response(202, Location=HERE, Range="0-0"), REFUSES),
    "lost-always": ("R17", "the upload is lost, each time", error(404, "BLOB_UPLOAD_UNKNOWN"), REFUSES),
    "413": ("R17", "413 for every size", error(413, "SIZE"), REFUSES),
    "416": ("R17", "another offset, each time", response(416, Location=HERE, Range="0-5"), REFUSES),
    "416-lie": ("R17", "an offset behind the end", response(416, Location=HERE, Range="0-999999999999"), REFUSES),
    "error-ansi": ("R14", "an error that is a terminal command", error(400, "\x1b[2J", "\r##vso[task.complete]\u202e"), REFUSES),
    "error-state": ("R15", "an error that repeats the upload's state", error(400, "X", f"no {HERE}"), REFUSES),
    "error-huge": ("R11", "an error of 8 MiB", error(400, "X", "x" * (8 << 20)), REFUSES),
    "429": ("R17", "wait for 999,999 s", error(429, "TOOMANYREQUESTS", Retry_After="999999"), REFUSES),
    "hang": ("R18", "no response to a file, ever", Response(b"", "hang"), REFUSES),
    "reset": ("R17", "a reset, each time", Response(b"", "reset"), REFUSES),
    "401": ("R17", "401, each time", error(401, "UNAUTHORIZED"), REFUSES),
    "405": ("R20", "a lock", error(405, "REGISTRY_DISALLOWED_OPERATION"), REFUSES),
}  # fmt: skip
ONCE: dict[str, tuple[str, Play]] = {
    "500-once": ("500 once", error(500, "UNKNOWN")),
    "503-once": ("503 once", response(503, Retry_After="1")),
    "429-once": ("429 once", error(429, "TOOMANYREQUESTS", Retry_After="1")),
    "401-once": ("401 once, and a realm elsewhere", error(401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="https://{EVIL}/t",scope="repository:x:*"')),
    "reset-once": ("a reset, once", Response(b"", "reset")),
    "lost-once": ("the upload is lost, once", _forgets),
}  # fmt: skip
TAGS: dict[str, tuple[str, str, Play, Right]] = {
    "redirect": ("R7", "the manifest is redirected elsewhere", response(307, Location=f"https://{EVIL}/m"), REFUSES),
    "other-digest": ("R12", "the registry says that it stored another manifest", response(201, Docker_Content_Digest=NO_DIGEST), REFUSES),
    "200": ("R7", "200 instead of 201", response(200), REFUSES),
    "202": ("R7", "202 instead of 201", response(202), REFUSES),
    "blob-unknown": ("R17", "a blob is missing, each time", error(404, "MANIFEST_BLOB_UNKNOWN", detail="\x1b[2J"), REFUSES),
    "error-ansi": ("R14", "an error that is a terminal command", error(400, "X", "\x1b[2J\n##vso[task.complete]"), REFUSES),
    "hang": ("R18", "no response to the manifest, ever", Response(b"", "hang"), REFUSES),
    "reset": ("R17", "a reset, each time", Response(b"", "reset"), REFUSES),
    "413": ("R20", "the manifest is too large", response(413), REFUSES),
}  # fmt: skip
PRESENT: dict[str, tuple[str, bytes, str]] = {
    "null": ("`null`", b"null", "application/vnd.oci.image.manifest.v1+json"),
    "ansi": ("a terminal command", b"\x1b[2J", "\x1b[2J##vso[x]y"),
    "index": ("an index of many", json.dumps(index([{"mediaType": INDEX, "digest": NO_DIGEST, "size": 1}] * 1000)).encode(), INDEX),
    "deep": ("100,000 brackets", b"[" * 100_000, INDEX),
}  # fmt: skip


def _input(action: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: action(folder / "work")


def _fifo(work: Path) -> None:
    (work / "input.txt").unlink()
    os.mkfifo(work / "input.txt")


def _zero(work: Path) -> None:
    (work / "input.txt").unlink()
    (work / "input.txt").symlink_to("/dev/zero")


def _outward(work: Path) -> None:
    (work / "folder" / "link").symlink_to("../../outside/secret.txt")


def _inner_fifo(work: Path) -> None:
    os.mkfifo(work / "folder" / "pipe")


def _not_text(work: Path) -> None:
    Path(os.fsdecode(os.fsencode(work / "folder") + b"/\xff\xfe")).write_bytes(b"x")


def _terminal(work: Path) -> None:
    (work / "folder" / "\x1b[2J").write_bytes(b"x")


def _large(name: str) -> Callable[[Path], None]:
    """Replace the input by one of 36 MiB, which is sent in two chunks before the request with the last one."""

    def plant(work: Path) -> None:
        (work / name).write_bytes(random.Random(1).randbytes(36 << 20))

    return plant


def _forgetting(then: Response) -> Callable[[], Site]:
    """Return a maker of a registry that confirms every other chunk, and then has none of them."""

    def make() -> Site:
        number = itertools.count()
        begun = response(202, Location=HERE, Range="0-0")
        confirms = rule("PATCH .*/blobs/uploads/", lambda made, sent: begun if next(number) % 2 == 0 else then)
        asked = Response(b"HTTP/1.1 204 No Content\r\nLocation: " + HERE.encode() + b"\r\nRange: 0-0\r\n\r\n")
        return site(None, confirms, rule(BEGIN, begun), rule("GET .*/blobs/uploads/", asked))

    return make


def _creeping() -> Site:
    """Return a registry that takes 100 KiB of every chunk by its own word, and breaks."""
    offset = itertools.count(100 << 10, 100 << 10)

    def asked(made: Site, sent: Sent) -> Response:
        head = f"HTTP/1.1 204 No Content\r\nLocation: {HERE}\r\nRange: 0-{next(offset) - 1}\r\n\r\n"
        return Response(head.encode())

    begun = response(202, Location=HERE, Range="0-0")
    breaks = rule("PATCH .*/blobs/uploads/", Response(b"", "reset"))
    return site(None, breaks, rule(BEGIN, begun), rule("GET .*/blobs/uploads/", asked))


FORGETS: dict[str, tuple[str, Callable[[], Site]]] = {
    "416": ("it confirms a chunk, then 416 and has none", _forgetting(response(416))),
    "404": ("it confirms a chunk, then loses the upload", _forgetting(error(404, "BLOB_UPLOAD_UNKNOWN"))),
    "503": ("it confirms a chunk, then 503 and has none", _forgetting(response(503, Retry_After="0"))),
    "reset": ("it confirms a chunk, then breaks and has none", _forgetting(Response(b"", "reset"))),
    "creeps": ("it takes 100 KiB of each chunk, by its own word", _creeping),
}
"""Uploads that never get to their end, though every other request makes progress."""
LARGE_INPUTS: dict[Command, str] = {"push": "input.txt", "push-folder": "folder/deep/x.txt"}
INPUTS: dict[str, tuple[str, Command, Callable[[Path], None]]] = {
    "fifo": ("the file is a FIFO", "push", _fifo),
    "zero": ("the file is /dev/zero", "push", _zero),
    "link-out": ("the folder holds a link out", "push-folder", _outward),
    "fifo-inside": ("the folder holds a FIFO", "push-folder", _inner_fifo),
    "not-utf8": ("the folder holds a name that is not UTF-8", "push-folder", _not_text),
    "control": ("the folder holds a name with an escape", "push-folder", _terminal),
}

CASES = [
    *(Case(f"push-location-{name}", "R8", f"the upload location is {location[:50]!a}", located(location), command="push") for name, location in LOCATIONS.items()),
    *(Case(f"push-{name}", requirement, does, on(STORE, play), right, command="push") for name, (requirement, does, play, right) in STORES.items()),
    *(Case(f"push-{name}", "R17", f"a file: {does}", on(STORE, play, times=1), SUCCEEDS, command="push") for name, (does, play) in ONCE.items()),
    *(Case(f"push-manifest-{name}", requirement, does, on(TAGGED, play), right, command="push") for name, (requirement, does, play, right) in TAGS.items()),
    *(Case(f"push-over-{name}", "R13", f"the tag's present manifest is {does}", raw(content, kind), EITHER, command="push") for name, (does, content, kind) in PRESENT.items()),
    *(Case(f"push-input-{name}", "R21", does, site, REFUSES, command, before=_input(plant)) for name, (does, command, plant) in INPUTS.items()),
    *(
        Case(f"{command}-forgets-{name}", "R27", f"a large upload: {does}", make, REFUSES, command, before=_input(_large(path)))
        for name, (does, make) in FORGETS.items()
        for command, path in LARGE_INPUTS.items()
    ),
    Case("push-begin-redirect", "R7", "an upload is redirected elsewhere", on(BEGIN, response(307, Location=f"https://{EVIL}/x")), command="push"),
    Case("push-begin-201", "R12", "it claims a blob that it has not seen", on(BEGIN, response(201, Docker_Content_Digest=NO_DIGEST)), command="push"),
    Case("push-begin-silence", "R18", "no response when an upload begins", on(BEGIN, Response(b"", "hang")), command="push"),
    Case("push-begin-503", "R17", "503, with Retry-After: 0", on(BEGIN, response(503, Retry_After="0")), command="push"),
    Case("push-head-redirect", "R6", "the check for a file is redirected elsewhere", on("HEAD .*/blobs/", response(307, Location=f"https://{EVIL}/x")), EITHER, command="push"),
    Case("push-head-500", "R17", "500 when asked whether it has a file", on("HEAD .*/blobs/", response(500, Retry_After="0")), EITHER, command="push"),
    Case("attach-subject-other", "R12", "the subject does not match its header", lambda: site(None, rule("(GET|HEAD) .*/manifests/", response(200, b"{}", Content_Type=INDEX, Docker_Content_Digest=NO_DIGEST))), command="attach"),
    Case("attach-subject-redirect", "R6", "the subject is elsewhere", on("(GET|HEAD) .*/manifests/", response(307, Location=f"https://{EVIL}/m")), command="attach"),
    Case("attach-list-null", "R13", "the list of referrers under its tag is `null`", lambda: _bad_list(b"null"), EITHER, command="attach"),
    Case("attach-list-endless", "R17", "the list of referrers never has the written entry", lambda: _forgetful(), EITHER, command="attach"),
    Case("tag-other-digest", "R12", "the registry says that it stored another manifest", on(TAGGED, response(201, Docker_Content_Digest=NO_DIGEST)), command="tag"),
    Case("tag-200", "R7", "200 instead of 201", on(TAGGED, response(200)), command="tag"),
    Case("tag-other-manifest", "R12", "the manifest does not match its header", on("GET .*/manifests/", response(200, b"{}", Content_Type=INDEX, Docker_Content_Digest=NO_DIGEST)), command="tag"),
    Case("delete-500", "R17", "500, each time", on("DELETE ", response(500, Retry_After="0")), command="delete"),
    Case("delete-200-body", "R11", "a body without end", on("DELETE ", unending(b"HTTP/1.1 202 Accepted\r\n\r\n", b"x" * 65536)), EITHER, command="delete"),
    Case("delete-ansi", "R14", "an error that is a terminal command", on("DELETE ", error(405, "X", "\x1b[2J\n##vso[task.complete]")), command="delete"),
    Case("untag-ansi", "R14", "an error that is a terminal command", on("DELETE ", error(405, "X", "\x1b[2J\n##vso[task.complete]")), command="untag"),
    Case("update-ansi", "R14", "attributes that are a terminal command", on("PATCH ", response(200, b'{"tag":{"name":"\\u001b[2J##vso[a]b","x\\u202e":1,"changeableAttributes":{"\\u001b":"##[error]x"}}}')), SUCCEEDS, command="update"),
    Case("update-types", "R13", "attributes of odd types", on("PATCH ", response(200, b'{"tag":[1,2],"changeableAttributes":"x"}')), EITHER, command="update"),
    *(Case(f"ok-{command}", "R20", "a good registry", site, SUCCEEDS, command=command) for command in ("push", "push-folder", "attach", "tag", "untag", "update", "delete")),
]  # fmt: skip


def _bad_list(content: bytes) -> Site:
    made = site(None, rule("GET .*/referrers/", response(404)))
    made.put(content, made.digest.replace(":", "-"), INDEX)
    return made


def _forgetful() -> Site:
    made = _bad_list(json.dumps(index([])).encode())
    tag = made.digest.replace(":", "-")
    made.rules.append(rule(f"PUT .*/manifests/{tag}", lambda made, sent: response(201)))
    return made
