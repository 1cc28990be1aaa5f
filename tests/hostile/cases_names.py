"""Names that an artifact gives its files, and what already has those names on the disk (R1, R2, R13, R14)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.case import GETS_IT, REFUSES, Case, Right, either
from tests.hostile.cases_disk import linked, planted
from tests.hostile.site import GOOD, OLDER, Site, manifest, site, titled, variant

ESC = "\x1b"
TITLES = {
    "parent": "../evil.txt",
    "parent-deep": "../../../../evil.txt",
    "parent-inside": "sub/../../evil.txt",
    "parent-at-end": "sub/..",
    "parent-only": "..",
    "dot-only": ".",
    "dot-inside": "sub/./evil.txt",
    "absolute": "/evil-of-hostile-tests.txt",
    "absolute-double": "//evil-of-hostile-tests.txt",
    "absolute-after-dot": ".//evil-of-hostile-tests.txt",
    "empty-part": "sub//evil.txt",
    "backslash": "..\\evil.txt",
    "backslash-inside": "sub\\..\\..\\evil.txt",
    "drive": "C:\\evil.txt",
    "drive-relative": "C:evil.txt",
    "drive-slash": "C:/evil.txt",
    "unc": "\\\\evil.example\\share\\evil.txt",
    "device-path": "\\\\.\\PhysicalDrive0",
    "stream": "a.txt:evil",
    "stream-data": "a.txt::$DATA",
    "device": "CON",
    "device-extension": "nul.txt",
    "device-folder": "sub/aux/evil.txt",
    "device-port": "COM1.log",
    "device-superscript": "com\u00b9.log",
    "device-space": "PRN .txt",
    "trailing-dot": "evil.txt.",
    "trailing-space": "evil.txt ",
    "wildcard": "*.txt",
    "question": "a?.txt",
    "pipe": "evil|x",
    "quote": 'evil".txt',
    "less": "<evil>",
    "newline": "ok.txt\nERROR: the registry is gone",
    "cr": "ok.txt\rERROR: gone",
    "tab": "a\tb",
    "nul": "a.txt\0.png",
    "delete-character": "a\x7fb",
    "c1": "a\x9b31mb",
    "ansi": f"{ESC}[2J{ESC}]0;owned\x07evil",
    "bidi": "annex\u202etxt.exe",
    "zero-width": "a\u200b.txt",
    "byte-order-mark": "\ufeffa.txt",
    "line-separator": "a\u2028b",
    "next-line": "a\x85b",
    "tag-character": "a\U000e0041b",
    "long-part": "x" * 300,
    "long": "/".join(["x" * 50] * 100),
    "long-in-bytes": "\U0001f600" * 80,
    "deep": "/".join("x" * 512),
    "own-temporary": ".acrartifact-0123456789abcdef.part",
    "own-kept": "sub/.ACRARTIFACT-x.kept",
    "pipeline-newline": "x\n##vso[task.setvariable variable=PATH]evil",
}
ALLOWED = {
    "tilde": "~/evil.txt",
    "variable": "$HOME/evil.txt",
    "percent": "%2e%2e%2fevil.txt",
    "option": "-rf",
    "wide-dots": "\uff0e\uff0e\uff0fevil.txt",
    "semicolon": "a;touch evil",
    "backquote": "`touch evil`.txt",
    "pipeline": "##vso[task.setvariable variable=PATH]evil",
    "pipeline-section": "##[error]evil",
    "pipeline-github": "::set-output name=x::evil",
}
"""Odd, and a name of a file below the destination all the same: to be written under just that name, or refused."""

TOGETHER: dict[str, tuple[str, list[str]]] = {
    "duplicate": ("two files of one name", ["same.txt", "same.txt"]),
    "duplicate-dot": ("two names of one file", ["same.txt", "./same.txt"]),
    "duplicate-parent": ("two names of one file", ["same.txt", "x/../same.txt"]),
    "file-and-folder": ("a file that is also a folder", ["a", "a/b.txt"]),
    "folder-and-file": ("a folder that is also a file", ["a/b.txt", "a"]),
}

TWINS: dict[str, tuple[str, list[str]]] = {
    "duplicate-case": ("names that are the same on Windows and macOS", ["Same.txt", "sAME.txt"]),
    "duplicate-unicode": ("names that differ only in their Unicode form", ["caf\u00e9.txt", "cafe\u0301.txt"]),
    "duplicate-sharp-s": ("names that differ only by case folding", ["stra\u00dfe", "STRASSE"]),
    "folder-and-file-case": ("a folder that is also a file on Windows and macOS", ["d/b.txt", "D"]),
}
"""Names that this disk keeps apart: each is to be written with its own content, or all refused."""

CHARTS = {"parent": "../evil", "absolute": "/evil-of-hostile-tests", "ansi": f"{ESC}[2Jevil", "newline": "a\nERROR: x"}


@variant
def _chart(made: Site, name: str) -> None:
    """Make a Helm chart called *name*, which is in its config."""
    config = made.add(json.dumps({"name": name, "version": "1"}).encode(), "application/vnd.cncf.helm.config.v1+json")
    made.put(manifest([made.add(GOOD, "application/vnd.cncf.helm.chart.content.v1.tar+gzip")], config))


@variant
def _model(made: Site, path: str) -> None:
    """Make a model with a file at *path*, which is in an annotation of ModelPack."""
    annotations = {"org.cncf.model.filepath": path}
    made.put(manifest([made.add(GOOD, "application/vnd.cncf.model.doc.v1.raw", annotations=annotations)]))


@variant
def with_titles(made: Site, *titles: str) -> None:
    """Make an artifact with a good `a.txt` and then a file under each of *titles*."""
    files = [("a.txt", GOOD), *((title, f"file {number}".encode()) for number, title in enumerate(titles))]
    made.put(manifest([made.add(content, **titled(title)) for title, content in files]))


def folders(titles: int, depth: int, distinct: bool) -> Callable[[], Site]:
    """Return a maker of an artifact with one blob of a byte under many *titles*, each of them below *depth* folders,
    *distinct* ones or the same."""

    def make() -> Site:
        made = site()
        names = [
            "/".join(f"{number * distinct:x}-{level}" for level in range(depth)) + f"/{number}.txt"
            for number in range(titles)
        ]
        made.put(manifest([made.add(b"x", **titled(name)) for name in names]))
        return made

    return make


def _surrogate() -> Site:
    made = site()
    layer = made.add(b"x", **titled("TITLE"))
    raw = json.dumps(manifest([layer])).encode().replace(b"TITLE", b"\\ud800.txt")
    made.put(raw)
    return made


@variant
def _config_title(made: Site, where: str) -> None:
    layers = [made.add(GOOD, **titled("a.txt"))]
    config = made.add(b'{"config": 1}', "application/vnd.example.config+json", **titled("../evil.json"))
    more: dict[str, Any] = titled("../evil-manifest.json") if where == "manifest" else {}  # type: ignore[assignment]
    made.put(manifest(layers, config, **more))


def _link(target: str) -> Callable[[Path, Path], None]:
    def plant(out: Path, _outside: Path) -> None:
        (out / "a.txt").unlink()
        (out / "a.txt").symlink_to(target)

    return plant


def _fifo(out: Path, _outside: Path) -> None:
    (out / "a.txt").unlink()
    os.mkfifo(out / "a.txt")


def _folder(out: Path, _outside: Path) -> None:
    (out / "a.txt").unlink()
    (out / "a.txt").mkdir()
    (out / "a.txt" / "theirs.txt").write_bytes(OLDER)


def _hard(out: Path, outside: Path) -> None:
    (out / "a.txt").unlink()
    os.link(outside / "secret.txt", out / "a.txt")


PLANTED: dict[str, tuple[str, Callable[[Path, Path], None], dict[str, bytes], Right]] = {
    "is-link": ("its name is a link out", _link("../../outside/secret.txt"), {"a.txt": GOOD}, either()),
    "is-dangling-link": ("its name is a link to nothing", _link("../../outside/new.txt"), {"a.txt": GOOD}, either()),
    "is-link-to-device": ("its name is a link to /dev/full", _link("/dev/full"), {"a.txt": GOOD}, either()),
    "under-link": (
        "a parent folder is a link out",
        linked("sub", "../../outside/folder"),
        {"sub/evil.txt": b"x"},
        REFUSES,
    ),
    "is-fifo": ("its name is a FIFO", _fifo, {"a.txt": GOOD}, REFUSES),
    "is-folder": ("its name is a folder", _folder, {"a.txt": GOOD}, REFUSES),
    "is-hard-link": ("its name is a hard link to another file", _hard, {"a.txt": GOOD}, GETS_IT),
}

CASES = [
    *(
        Case(f"title-{name}", "R1", f"a file is named {title[:60]!a}", with_titles(title))
        for name, title in TITLES.items()
    ),
    *(
        Case(
            f"title-{name}",
            "R14" if "pipeline" in name else "R1",
            f"a file is named {title!a}",
            with_titles(title),
            either(**{"a.txt": GOOD, title: b"file 0"}),
        )
        for name, title in ALLOWED.items()
    ),
    *(Case(f"chart-{name}", "R1", f"a Helm chart is named {title!a}", _chart(title)) for name, title in CHARTS.items()),
    *(Case(f"model-{name}", "R1", f"a model's file is {title!a}", _model(title)) for name, title in CHARTS.items()),
    *(Case(f"title-{name}", "R13", does, with_titles(*titles)) for name, (does, titles) in TOGETHER.items()),
    *(
        Case(
            f"title-{name}",
            "R13",
            does,
            with_titles(*titles),
            either(**{"a.txt": GOOD, **{title: f"file {n}".encode() for n, title in enumerate(titles)}}),
        )
        for name, (does, titles) in TWINS.items()
    ),
    *(
        Case(f"title-{name}", "R2", does, lambda files=files: site(files), right, before=planted(plant))
        for name, (does, plant, files, right) in PLANTED.items()
    ),
    Case("titles-deep", "R26", "6,000 names of 200 components", folders(6000, 199, distinct=False)),
    Case("titles-wide", "R26", "one byte under 2,500 names in 150,000 folders", folders(2500, 60, distinct=True)),
    Case("title-surrogate", "R1", "a file is named half a character", _surrogate),
    Case("title-of-config", "R1", "the config has a title that leads out", _config_title("config"), either()),
    Case(
        "title-of-manifest", "R1", "manifest and config have titles that lead out", _config_title("manifest"), either()
    ),
]
