"""The judge sees every harm: each one is done here once, by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hostile.case import EITHER, GETS_IT, REFUSES, SUCCEEDS, Case, Right
from tests.hostile.judge import Scene, judge
from tests.hostile.names import (
    ACCESS_TOKEN,
    ARM,
    ARM_TOKEN,
    CLIENT_SECRET,
    ENTRA,
    ENTRA_TOKEN,
    EVIL,
    NETRC,
    PASSWORD,
    SERVER,
    SIGNATURE,
)
from tests.hostile.playground import Playground
from tests.hostile.process import Ended, watch
from tests.hostile.site import GOOD, site
from tests.hostile.wire import Sent

REFUSED = Ended(1, "", "ERROR: It is refused (there): for that.\nDo this.\n", 1.0, 90.0)
DONE = Ended(0, "{}\n", "", 1.0, 90.0)
Make = Callable[..., Scene]


@pytest.fixture
def scene(tmp_path: Path) -> Make:
    """Return a run in which *done* is done in the playground before the client ends as *ended*."""

    def make(ended: Ended = REFUSED, right: Right = REFUSES, done: Callable[[Path], object] = str, **more) -> Scene:
        ground = Playground.make(tmp_path)
        ground.remember()
        done(tmp_path)
        case = Case("x", "R1", "it does x", site, right, **more)
        return Scene(case, "ours", site(), ground, ended, [], set())

    return make


def _get_it(folder: Path) -> None:
    (folder / "work/out/a.txt").write_bytes(GOOD)


def test_a_refusal_and_a_success_are_safe(scene: Make) -> None:
    assert judge(scene()).verdict == "SAFE"


def test_every_described_file_is_safe(scene: Make) -> None:
    assert judge(scene(DONE, GETS_IT, _get_it)).verdict == "SAFE"


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "outside": (lambda f: (f / "outside/secret.txt").write_bytes(b""), "changed outside"),
    "new-outside": (lambda f: (f / "work/evil.txt").write_bytes(b""), "changed outside"),
    "mode-outside": (lambda f: (f / "outside/secret.txt").chmod(0o777), "changed outside"),
    "older": (lambda f: (f / "work/out/keep.txt").write_bytes(b"evil"), "not what the artifact describes"),
    "gone": (lambda f: (f / "work/out/keep.txt").unlink(), "gone"),
    "partial": (lambda f: (f / "work/out/a.txt").write_bytes(GOOD[:100]), "not all of it"),
    "temporary": (lambda f: (f / "work/out/.acrartifact-0123.part").write_bytes(b"x"), "not all of it"),
    "setuid": (lambda f: (f / "work/out/keep.txt").chmod(0o4755), "mode 4755"),
    "fifo": (lambda f: os.mkfifo(f / "work/out/pipe"), "special"),
    "link-out": (lambda f: (f / "work/out/l").symlink_to("../../outside"), "a link out"),
    "hard-link": (lambda f: os.link(f / "outside/secret.txt", f / "work/out/h"), "not what the artifact"),
}


@pytest.mark.parametrize("name", HARMS)
def test_harm_on_the_disk_is_seen(scene: Make, name: str) -> None:
    done, why = HARMS[name]
    judged = judge(scene(done=done))
    assert judged.verdict == "HARM"
    assert why in judged.reasons[0]


def test_success_without_the_file_is_harm(scene: Make) -> None:
    assert judge(scene(DONE, GETS_IT)).verdict == "HARM"


def test_success_without_the_bytes_is_harm_instead_of_a_refusal(scene: Make) -> None:
    assert judge(scene(DONE)).verdict == "HARM"


@pytest.mark.parametrize("command", ["push", "tag"])
def test_success_without_the_write_is_harm(scene: Make, command: str) -> None:
    assert judge(scene(DONE, SUCCEEDS, command=command)).verdict == "HARM"


SHOWN = {
    "escape": "\x1b[2J", "bidi": "\u202e", "return": "\r", "agent": "x ##vso[a]b", "section": "##[error]x",
    "github": "::error::x", "password": PASSWORD, "token": ACCESS_TOKEN[:75], "signature": f"sig={SIGNATURE}",
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_secret_or_command_in_an_output_is_seen(scene: Make, name: str, stream: str) -> None:
    ended = replace(DONE, **{stream: SHOWN[name]})
    assert judge(scene(ended, EITHER)).verdict == "HARM"


def test_a_secret_in_a_log_file_is_seen(scene: Make) -> None:
    found = scene()
    found.logged = f"Bearer {ACCESS_TOKEN}"
    assert judge(found).verdict == "HARM"


def sent(host: str, method: str = "GET", target: str = "/", body: bytes = b"", **headers: str) -> Sent:
    """Return a request over TLS."""
    return Sent("https", host, 443, method, target, headers, body)


TOLD = {
    "somebody else": sent(EVIL),
    "another scheme": Sent("http", SERVER, 80, "GET", "/", {}),
    "another port": Sent("https", SERVER, 8443, "GET", "/", {}),
    "a cookie": sent(SERVER, cookie="a=b"),
    "more rights than needed": sent(SERVER, "POST", "/oauth2/token", b"scope=repository%3Aa%3Apull%2Cpush"),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_request_to_a_forbidden_host_is_seen(scene: Make, name: str) -> None:
    found = scene()
    found.requests.append(TOLD[name])
    assert judge(found).verdict == "HARM"


def test_a_secret_sent_to_an_allowed_host_is_seen(scene: Make) -> None:
    found = scene(hosts=frozenset({f"https://{EVIL}"}))
    found.requests.append(sent(EVIL))
    assert judge(found).verdict == "SAFE"
    found.requests.append(sent(EVIL, authorization=f"Bearer {ACCESS_TOKEN}"))
    assert judge(found).verdict == "HARM"


@pytest.mark.parametrize(
    ("host", "secret", "verdict"),
    [(ENTRA, CLIENT_SECRET, "SAFE"), (ENTRA, ARM_TOKEN, "HARM"), (ENTRA, PASSWORD, "HARM"), (ARM, ARM_TOKEN, "SAFE"),
     (ARM, CLIENT_SECRET, "HARM"), (ARM, ENTRA_TOKEN, "HARM"), (SERVER, ENTRA_TOKEN, "SAFE"),
     (SERVER, ARM_TOKEN, "HARM"), (SERVER, CLIENT_SECRET, "HARM"), (SERVER, NETRC[0], "HARM")],
)  # fmt: skip
def test_each_secret_is_for_its_owner(scene: Make, host: str, secret: str, verdict: str) -> None:
    found = scene(hosts=frozenset(f"https://{name}" for name in (ENTRA, ARM, SERVER)))
    found.requests.append(sent(host, authorization=f"Bearer {secret}"))
    assert judge(found).verdict == verdict


def test_a_connection_without_a_request_is_seen(scene: Make) -> None:
    found = scene()
    found.reached.add("https://169.254.169.254")
    assert judge(found).verdict == "HARM"


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (replace(REFUSED, peak=201.0), "HARM"),
        (replace(REFUSED, stopped="memory"), "HARM"),
        (replace(REFUSED, stopped="disk"), "HARM"),
        (replace(REFUSED, stopped="time"), "HANG"),
        (replace(REFUSED, stderr="Traceback (most recent call last):\n"), "UNCLEAR"),
        (replace(REFUSED, stderr="ERROR: It failed.\n"), "UNCLEAR"),
        (replace(REFUSED, stderr="ERROR: a\nERROR: b\n"), "UNCLEAR"),
        (replace(REFUSED, stderr=""), "UNCLEAR"),
        (replace(REFUSED, code=-11), "UNCLEAR"),
        (replace(REFUSED, stderr=f"ERROR: {'x' * 5000}\nDo this.\n"), "UNCLEAR"),
    ],
)
def test_the_verdict_depends_on_the_end(scene: Make, ended: Ended, verdict: str) -> None:
    assert judge(scene(ended)).verdict == verdict


def test_a_failure_where_success_is_right_is_unclear(scene: Make) -> None:
    assert judge(scene(REFUSED, GETS_IT)).verdict == "UNCLEAR"


def test_a_hanging_process_is_stopped_and_measured_alone(tmp_path: Path) -> None:
    ground = Playground.make(tmp_path)
    ballast = b"x" * (300 << 20)
    quick = watch(["sh", "-c", "echo out; echo err >&2; exit 3"], "", ground.folder, os.environ, 30)
    assert (quick.code, quick.stdout, quick.stderr, quick.stopped) == (3, "out\n", "err\n", "")
    assert quick.peak < 50 < len(ballast) >> 20
    assert watch(["sleep", "60"], "", ground.folder, os.environ, 0.5).stopped == "time"
