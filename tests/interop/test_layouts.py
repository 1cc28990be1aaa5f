"""OCI image layouts, both ways with oras, regctl and skopeo, folder and tar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.interop.place import Place

KIND = "application/vnd.example.sbom.v1"
CONTENT = b"one\n"
ON_AZURE = pytest.mark.parametrize("place", ["azure"], indirect=True)
ON_DISTRIBUTION = pytest.mark.parametrize("place", ["distribution"], indirect=True)
"""For layouts themselves either will do."""


@pytest.fixture
def pushed(place: Place, repository: str, work: Path) -> str:
    """The digest of an artifact with the tag 1.0, to which another is attached, and to that a third."""
    (work / "one.txt").write_bytes(CONTENT)
    (work / "sbom.json").write_bytes(b"{}\n")
    digest = str(place.push(work, place.at(repository), "--file", "one.txt")["digest"])
    options = ("--file", "sbom.json", "--artifact-type", KIND)
    attached = json.loads(place.az(work, "attach", place.at(repository), *options).stdout)["digest"]
    place.az(work, "attach", place.at(repository, attached), *options)
    return digest


def backup(place: Place, work: Path, repository: str, destination: str) -> None:
    """Save all of *repository*."""
    place.az(work, "backup", f"{place.server}/{repository}", "--destination", destination, "--recursive")


def restored(place: Place, work: Path, out: Path, repository: str, source: str) -> dict[str, object]:
    """What is at *repository* after a restore: the digest of 1.0 and the file, and how deep referrers go."""
    place.az(work, "restore", f"{place.server}/{repository}", "--source", source, "--recursive")
    digest = place.pull(out, place.at(repository), "--destination", repository.replace("/", "-"))["digest"]
    content = (out / repository.replace("/", "-") / "one.txt").read_bytes()
    return {"digest": digest, "content": content, "depth": depth(place, work, place.at(repository))}


def depth(place: Place, work: Path, *reference: str) -> int:
    """How many levels of referrers oras discovers."""
    found = json.loads(place.oras(work, "discover", "--format", "json", *reference).stdout)
    levels = -1
    below = [found]
    while below:
        levels, below = levels + 1, [item for one in below for item in one.get("referrers") or []]
    return levels


@pytest.mark.parametrize("form", ["saved", "saved.tar"])
def test_we_save_and_oras_reads_and_restores(
    place: Place, repository: str, work: Path, out: Path, pushed: str, form: str
) -> None:
    backup(place, work, repository, form)
    place.oras(out, "pull", "--oci-layout", f"{work / form}:1.0")
    assert (out / "one.txt").read_bytes() == CONTENT
    raw = place.oras(work, "manifest", "fetch", "--oci-layout", f"{form}@{pushed}").stdout
    assert raw == place.oras(work, "manifest", "fetch", place.at(repository)).stdout
    assert depth(place, work, "--oci-layout", f"{form}:1.0") == 2
    back = place.at(f"{repository}-back")
    place.oras(work, "restore", "--input", form, back)
    assert place.oras(work, "resolve", back).text == pushed
    assert depth(place, work, back) == 2


def test_oras_saves_and_we_restore(place: Place, repository: str, work: Path, out: Path, pushed: str) -> None:
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    for form in ("theirs", "theirs.tar"):
        place.oras(work, "backup", "--include-referrers", "--output", form, place.at(repository))
        assert restored(place, work, out, f"{repository}-{form}".replace(".", "-"), form) == everything
    place.oras(work, "cp", "-r", "--to-oci-layout", place.at(repository), "copied:1.0")
    assert restored(place, work, out, f"{repository}-copied", "copied") == everything


@ON_AZURE
def test_we_add_to_what_oras_has_saved_and_oras_to_ours(
    place: Place, repository: str, work: Path, out: Path, pushed: str
) -> None:
    other = f"{repository}-other"
    second = place.push(work, place.at(other, "2.0"), "--file", "sbom.json")["digest"]
    place.oras(work, "backup", "--include-referrers", "--output", "layout", place.at(repository))
    backup(place, work, other, "layout")
    place.oras(work, "tag", place.at(other, "2.0"), "3.0")
    place.oras(work, "backup", "--output", "layout", place.at(other, "3.0"))
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    assert restored(place, work, out, f"{repository}-back", "layout") == everything
    for tag in ("2.0", "3.0"):
        assert place.oras(work, "resolve", place.at(f"{repository}-back", tag)).text == second
        assert place.oras(work, "resolve", "--oci-layout", f"layout:{tag}").text == second


@ON_DISTRIBUTION
def test_both_ways_with_regctl(place: Place, repository: str, work: Path, out: Path, pushed: str) -> None:
    for form in ("saved", "saved.tar"):
        backup(place, work, repository, form)
    assert place.regctl(work, "artifact", "get", "ocidir://saved:1.0").stdout == CONTENT
    assert place.regctl(work, "image", "digest", "ocidir://saved:1.0").text == pushed
    place.regctl(work, "image", "import", place.at(f"{repository}-imported"), "saved.tar")
    assert place.regctl(work, "image", "digest", place.at(f"{repository}-imported")).text == pushed
    place.regctl(work, "image", "copy", "--referrers", place.at(repository), "ocidir://theirs:1.0")
    place.regctl(work, "image", "export", place.at(repository), "theirs.tar")
    everything = {"digest": pushed, "content": CONTENT, "depth": 2}
    assert restored(place, work, out, f"{repository}-theirs", "theirs") == everything
    assert restored(place, work, out, f"{repository}-exported", "theirs.tar") == {**everything, "depth": 0}


@ON_DISTRIBUTION
def test_both_ways_with_skopeo(place: Place, repository: str, work: Path, out: Path, pushed: str) -> None:
    raw = place.oras(work, "manifest", "fetch", place.at(repository)).stdout
    for form, kind in (("saved", "oci"), ("saved.tar", "oci-archive")):
        backup(place, work, repository, form)
        assert place.skopeo(work, "inspect", "--raw", f"{kind}:{form}:1.0").stdout == raw
        back = f"{repository}-{kind}"
        place.skopeo(work, "copy", f"{kind}:{form}:1.0", f"docker://{place.at(back)}")
        assert place.oras(work, "resolve", place.at(back)).text == pushed
        place.skopeo(work, "copy", f"docker://{place.at(repository)}", f"{kind}:theirs-{form}:1.0")
        assert restored(place, work, out, f"{back}-back", f"theirs-{form}") == {
            "digest": pushed, "content": CONTENT, "depth": 0,
        }  # fmt: skip
