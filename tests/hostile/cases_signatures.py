"""Signatures: forged, downgraded, hidden, swapped, or of a tag that moves (R39)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.hostile.case import GETS_IT, REFUSES, Case, Right
from tests.hostile.names import TAG
from tests.hostile.site import GOOD, Json, Response, Site, as_json, error, index, manifest, on, rule, site, titled
from tests.hostile.wire import Sent
from tests.support.drafts import TARGET, Draft, draft
from tests.support.forgeries import forgeries
from tests.support.signers import alone, chain_of

NOTATION = "application/vnd.cncf.notary.signature"
THUMBPRINTS = "io.cncf.notary.x509chain.thumbprint#S256"
VERIFIES = ("--verify", "--certificate-file", "../config/trusted.pem")
CHOSEN = (
    "jws-another-digest", "jws-expired", "jws-untrusted-self-signed", "jws-untrusted-root", "jws-algorithm-none",
    "jws-unknown-critical", "jws-no-scheme", "jws-signature-twice", "jws-payload-twice", "jws-issued-by-a-signer",
    "jws-signed-by-another-key", "jws-sha-1", "jws-rsa-1024", "jws-other-thumbprints", "jws-too-long", "jws-deep",
    "jws-authority-under-a-store-of-ca", "cose-flipped-bit", "cose-header-twice", "cose-indefinite-array",
    "cose-huge-array", "cose-another-payload-was-signed", "cose-nothing", "cose-the-other-format",
)  # fmt: skip
"""Some of the forgeries; the unit tests have them all."""


def trust(folder: Path) -> None:
    """Write the certificates that the user trusts."""
    trusted = b"".join(one.pem for one in (chain_of()[2], alone(), alone("rsa2048")))
    (folder / "config" / "trusted.pem").write_bytes(trusted)


def right_payload(made: Site) -> bytes:
    """Return the payload that signs the site's artifact."""
    media_type, raw = made.manifests[TAG]
    return json.dumps({"targetArtifact": {"mediaType": media_type, "digest": made.digest, "size": len(raw)}}).encode()


def attach(made: Site, one: Draft, **changes: Any) -> Json:
    """Attach a signature to the site's artifact; *changes* are of its manifest. Return the entry in the list."""
    if json.loads(one.payload or b"0") == {"targetArtifact": TARGET}:
        one = replace(one, payload=right_payload(made))
    layer = made.add(one.write(), one.media_type)
    media_type, raw = made.manifests[TAG]
    fields = manifest(
        [layer],
        made.add(b"{}", NOTATION),
        subject={"mediaType": media_type, "digest": made.digest, "size": len(raw)},
        annotations={THUMBPRINTS: one.annotation},
    )
    del fields["artifactType"]
    entry = made.put({**fields, **changes}, "signature")
    made.referrers.append({**entry, "artifactType": NOTATION})
    return entry


def signed(one: Draft, *rules: Any, **changes: Any) -> Callable[[], Site]:
    """Return a maker of registries whose artifact has the signature *one*."""

    def make() -> Site:
        made = site(None, *rules)
        attach(made, one, **changes)
        return made

    return make


def _two_layers() -> Site:
    made = site()
    entry = attach(made, draft("jws"))
    fields = json.loads(made.manifests["signature"][1])
    made.referrers[0] = {**made.put({**fields, "layers": fields["layers"] * 2}, "signature"), "artifactType": NOTATION}
    assert made.referrers[0]["digest"] != entry["digest"]
    return made


def _moves() -> Site:
    """Move the tag after its first read: to an artifact with another file, which nobody signed."""
    made = signed(draft("jws"))()
    first, raw = made.manifests[TAG]
    reads: list[str] = []
    other = json.dumps(manifest([made.add(b"evil\n", **titled("a.txt"))])).encode()

    def play(site: Site, sent: Sent) -> Response | None:
        reads.append(sent.path)
        site.manifests[TAG] = (first, raw if len(reads) == 1 else other)
        return None

    made.rules.append(rule(f"(GET|HEAD) .*/manifests/{TAG}$", play))
    return made


def _case(name: str, does: str, make: Callable[[], Site], right: Right = REFUSES) -> Case:
    return Case(f"signature-{name}", "R39", does, make, right, before=trust, arguments=VERIFIES, ours_only=True)


CASES = [
    _case("good", "the artifact is signed", signed(draft("jws")), GETS_IT),
    _case("none", "the artifact is not signed", site),
    _case("hidden", "it hides the signature", signed(draft("jws"), rule("/referrers/", as_json(index([]))))),
    _case("list-lost", "it has lost the list of signatures", signed(draft("jws"), rule("/referrers/", error(404, "X")))),
    _case("blob-lost", "it has lost the signature", signed(draft("jws"), rule("/blobs/", error(404, "BLOB_UNKNOWN")))),
    _case("two-layers", "the signature's manifest has two", _two_layers),
    _case("another-type", "the list names something else a signature", signed(draft("jws"), config={})),
    _case("of-another", "the signature is attached to another artifact", signed(
        draft("jws"), subject={"mediaType": "a/b", "digest": "sha256:" + "0" * 64, "size": 1})),
    _case("tag-moves", "the tag moves after the signature was verified", _moves, Right({"a.txt": GOOD}, or_refuses=True)),
    _case("list-endless", "it lists signatures without end", on("/referrers/", as_json(index([]), Link='</x>; rel="next"'))),
    *(
        _case(one.name, f"a forged signature: {one.name.replace('-', ' ')}", signed(one.draft))
        for one in forgeries()
        if one.name in CHOSEN
    ),
]  # fmt: skip
