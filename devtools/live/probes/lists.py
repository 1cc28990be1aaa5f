"""Lists without items, and lists of several pages."""

from __future__ import annotations

from devtools.live.probes.contents import manifest, push_blob, push_manifest
from devtools.live.recorder import Recorder

MANY, QUICK_MANY = 1010, 110
"""More items than on a page of n=1000, and than on a page of the size that is the default as far as known."""
LISTS = ("/acr/v1/{}/_tags", "/acr/v1/{}/_manifests", "/v2/{}/tags/list")


def empty_lists(recorder: Recorder) -> None:
    """List the tags of a repository without tags, and of a repository that does not exist."""
    repository = recorder.run.repository("untagged")
    push_blob(recorder, repository, b"{}")
    digest = push_manifest(recorder, repository, manifest("untagged"))
    for name in (repository, f"{recorder.run.root}/missing"):
        kind = "a repository without tags" if name == repository else "a missing repository"
        for path in (*LISTS, "/acr/v1/{}/_tags?digest=" + digest):
            shown = path.format("NAME").partition("?")
            probe = f"{shown[0]}{' of one manifest' if shown[1] else ''} of {kind}"
            recorder.ask(probe, "GET", path.format(name), f"repository:{name}:pull,metadata_read")


def long_lists(recorder: Recorder) -> None:
    """List many manifests and tags, by the default page and by n=1000."""
    repository = recorder.run.repository("many")
    push_blob(recorder, repository, b"{}")
    for number in range(QUICK_MANY if recorder.quick else MANY):
        push_manifest(recorder, repository, manifest(f"number {number}"), f"t{number:04}")
    for path in LISTS:
        for query, name in (("", "default page"), ("?n=1000", "page of n=1000"), ("?n=2000", "page of n=2000")):
            probe = f"{name} of {path.format('NAME')}"
            recorder.ask(
                probe, "GET", f"{path.format(repository)}{query}", f"repository:{repository}:pull,metadata_read"
            )
