"""Results as JSON."""

from __future__ import annotations

import json
from typing import Any

from azext_acrartifact.cli.output.json import pull_output, push_output, show_output
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST, TITLE
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.operations.pull import PulledFile, PullResult
from azext_acrartifact.operations.pull_plan import Skipped
from azext_acrartifact.operations.push import PushedFile, PushResult
from azext_acrartifact.operations.show import Shown
from tests.support.descriptors import empty_descriptor

NASTY = "\x1b[31m\n##vso[task.complete]\u202e"
HERE = Reference("myregistry.azurecr.io", "samples/artifact", "1.0")
LAYER = Descriptor(f"a/b{NASTY}", digest_of(b"x"), 2048, {TITLE: f"a{NASTY}.txt"})
CHILD = Descriptor(IMAGE_MANIFEST, digest_of(b"c"), 5, platform={"os": NASTY, NASTY: "arm64"})
MANIFEST = Manifest(
    IMAGE_MANIFEST,
    b"",
    digest_of(b"m"),
    empty_descriptor(),
    (LAYER,),
    (CHILD,),
    annotations={NASTY: NASTY},
    declared_artifact_type=f"c/d{NASTY}",
)
SHOWN = Shown(
    HERE,
    MANIFEST,
    {
        "changeableAttributes": {"deleteEnabled": False, NASTY: NASTY},
        "createdTime": NASTY,
        "name": NASTY,
        "signed": NASTY,
        "lastUpdateTime": "2026-01-02T03:04:05.678Z",
    },
    {"tags": [NASTY], "changeableAttributes": {NASTY: NASTY}},
    2050,
)


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_text_from_a_registry_is_escaped() -> None:
    pulled = PullResult(HERE, MANIFEST, [PulledFile(f"/x{NASTY}", LAYER, "downloaded")], [Skipped(LAYER, "why")], 1, 2)
    for output in (show_output(SHOWN), pull_output(pulled)):
        for text in texts(output):
            assert not {"\x1b", "\n", "\u202e"} & set(text), text
            assert "##vso[" not in text
        json.dumps(output)


def test_show_has_the_fields_of_core_and_more() -> None:
    output = show_output(SHOWN)
    assert list(output)[:6] == ["changeableAttributes", "createdTime", "digest", "lastUpdateTime", "name", "signed"]
    assert output["changeableAttributes"]["deleteEnabled"] is False
    assert output["signed"] is None
    assert output["size"] == 2050
    nothing = show_output(Shown(HERE, MANIFEST, {}, {}, 0))
    assert (nothing["changeableAttributes"], nothing["createdTime"]) == (None, None)


def test_push_names_the_digest_where_there_is_no_tag() -> None:
    result = PushResult(HERE, MANIFEST, ["1.0"], [PushedFile(LAYER, "uploaded")], 10, 20)
    assert push_output(result)["reference"] == str(HERE)
    untagged = push_output(PushResult(HERE, MANIFEST, [], [], 10, 20))
    assert untagged["reference"] == f"myregistry.azurecr.io/samples/artifact@{MANIFEST.digest}"
    assert (untagged["bytesUploaded"], untagged["bytesSkipped"], untagged["files"]) == (10, 20, [])
