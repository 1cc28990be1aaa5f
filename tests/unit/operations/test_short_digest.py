"""The beginning of a digest, as tables show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acr_emulator.app import App
from azext_acrartifact.errors import InvalidReferenceError, NotFoundError
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.operations.short_digest import find_digest
from tests.unit.operations.conftest import SERVER, push_files, ref


def test_the_beginning_of_a_digest_names_the_artifact(signed_in: Any, work: Path) -> None:
    (work / "a").write_text("a")
    digest = push_files(signed_in(), "short/found:1", "a").manifest.digest
    for typed in (digest[:19], digest[:30], digest[:-1]):
        short = ref(f"short/found@{typed}")
        assert (short.short, short.version, str(short)) == (typed, typed, f"{SERVER}/short/found@{typed}")
        found = find_digest(signed_in(), short)
        assert found == parse_reference(f"{SERVER}/short/found@{digest}")
    whole = ref(f"short/found:1@{digest}")
    assert find_digest(signed_in(), whole) is whole
    with pytest.raises(NotFoundError) as caught:
        find_digest(signed_in(), ref("short/found@sha256:000000000000"))
    assert "az acr artifact list" in caught.value.hint


def test_a_beginning_that_several_digests_have_is_refused(signed_in: Any, app: App, work: Path) -> None:
    (work / "a").write_text("a")
    digest = push_files(signed_in(), "short/twice:1", "a").manifest.digest
    other = digest[:25] + ("0" if digest[25] != "0" else "1") * (len(digest) - 25)
    body = f'{{"manifests":[{{"digest":"{digest}"}},{{"digest":"{other}"}}]}}'
    app.faults.add({"path": "/_manifests", "action": "status", "status": 200, "body": body, "times": 1})
    with pytest.raises(InvalidReferenceError, match="Several artifacts") as caught:
        find_digest(signed_in(), ref(f"short/twice@{digest[:19]}"))
    assert digest in caught.value.hint
