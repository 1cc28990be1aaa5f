"""Forged and downgraded signatures. None of them may pass, and each is refused for its own reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.drafts import (
    AUTHENTIC,
    EXPIRY,
    PREFIX,
    SCHEME,
    SIGNED_AT,
    TARGET,
    Draft,
    Raw,
    Tag,
    cbor,
    draft,
    time_of,
    url64,
)  # fmt: skip
from tests.support.signers import (
    DAY,
    NOW,
    Issued,
    alone,
    ca_extensions,
    chain_of,
    issue,
    leaf_extensions,
    sha1_signer,
    usage,
)

Make = Callable[[str], Draft]


@dataclass(frozen=True)
class Forgery:
    """A signature that must be refused, with a word of the *reason*."""

    name: str
    draft: Draft
    reason: str


def forgeries() -> Iterator[Forgery]:
    """Yield all forgeries: those of both formats, then those of one."""
    both = {**_of_payloads(), **_of_headers(), **_of_keys(), **_of_chains(), **_of_certificates(), **_of_manifests()}
    for kind in ("jws", "cose"):
        for name, (make, reason) in both.items():
            yield Forgery(f"{kind}-{name}", make(kind), reason)
    for name, (one, reason) in {**_of_jws(), **_of_cose()}.items():
        yield Forgery(name, one, reason)


def _with(**changes: Any) -> Make:
    return lambda kind: draft(kind, **changes)


def _payload(content: Any) -> Make:
    return _with(payload=content if isinstance(content, bytes) else json.dumps(content).encode())


def _target(**changes: Any) -> Make:
    return _payload({"targetArtifact": {**TARGET, **changes}})


def _of_payloads() -> dict[str, tuple[Make, str]]:
    text = json.dumps(TARGET)
    return {
        "another-digest": (_target(digest="sha256:" + "b" * 64), "its digest is"),
        "another-algorithm-of-digest": (_target(digest="sha512:" + "a" * 128), "its digest is"),
        "another-size": (_target(size=124), "its size is"),
        "another-media-type": (_target(mediaType="application/vnd.oci.image.index.v1+json"), "its media type is"),
        "size-as-text": (_target(size="123"), "is missing"),
        "size-as-fraction": (_target(size=123.0), "is missing"),
        "size-as-boolean": (_target(size=True), "is missing"),
        "size-not-a-number": (_payload(b'{"targetArtifact":' + text.replace("123", "NaN").encode() + b"}"), "NaN"),
        "no-digest": (_target(digest=None), "is missing"),
        "unknown-member": (_target(urls=["https://elsewhere.example"]), "not known here"),
        "metadata-that-is-no-text": (_target(annotations={"a": 1}), "not texts"),
        "unknown-member-beside-the-target": (_payload({"targetArtifact": TARGET, "also": TARGET}), "alone"),
        "two-targets": (_payload(f'{{"targetArtifact":{text},"targetArtifact":{text}}}'.encode()), "twice"),
        "two-digests": (_payload(b'{"targetArtifact":{"digest":"x",' + text[1:].encode() + b"}"), "twice"),
        "target-in-another-case": (_payload({"TargetArtifact": TARGET}), "alone"),
        "no-target": (_payload({}), "alone"),
        "a-list-of-targets": (_payload([{"targetArtifact": TARGET}]), "alone"),
        "no-json": (_payload(b"targetArtifact"), "malformed"),
        "empty-payload": (_payload(b""), "malformed"),
        "payload-in-utf-16": (_payload(json.dumps({"targetArtifact": TARGET}).encode("utf-16")), "malformed"),
        "deep-payload": (_payload(b"[" * 20000), "malformed"),
    }


def _headers(changes: Callable[[str], dict[str, Any]]) -> Make:
    return lambda kind: draft(kind, headers=changes(kind))


def _expiring(days: float, critical: bool = True) -> Make:
    crit = [SCHEME, EXPIRY] if critical else [SCHEME]
    return _headers(lambda kind: {EXPIRY: time_of(kind, days), "crit": crit, SIGNED_AT: time_of(kind, -0.5)})


def _of_headers() -> dict[str, tuple[Make, str]]:
    authority = "notary.x509.signingAuthority"
    return {
        "another-type-of-payload": (_with(headers={"cty": "application/json"}), "type is not known"),
        "no-type-of-payload": (_with(headers={"cty": None}), "no type"),
        "no-scheme": (_with(headers={SCHEME: None}), "scheme is missing"),
        "unknown-scheme": (_with(headers={SCHEME: "notary.x510"}), "scheme is not known"),
        "scheme-that-is-no-text": (_with(headers={SCHEME: ["notary.x509"]}), "scheme is not known"),
        "authority-under-a-store-of-ca": (
            _headers(
                lambda kind: {
                    SCHEME: authority,
                    SIGNED_AT: None,
                    AUTHENTIC: time_of(kind),
                    "crit": [SCHEME, AUTHENTIC],
                }
            ),
            "not trusted",
        ),
        "authority-with-a-time-not-critical": (
            _headers(lambda kind: {SCHEME: authority, SIGNED_AT: None, AUTHENTIC: time_of(kind)}),
            "critical",
        ),
        "authority-with-the-other-time": (_with(headers={SCHEME: authority}), "exactly the time"),
        "both-times": (_headers(lambda kind: {AUTHENTIC: time_of(kind)}), "exactly the time"),
        "scheme-not-critical": (_with(headers={"crit": [SIGNED_AT]}), "critical"),
        "expiry-not-critical": (_expiring(5, critical=False), "critical"),
        "unknown-critical": (_with(headers={"crit": [SCHEME, "com.example.more"], "com.example.more": 1}), "critical"),
        "absent-critical": (_with(headers={"crit": [SCHEME, EXPIRY]}), "critical"),
        "critical-twice": (_with(headers={"crit": [SCHEME, SCHEME]}), "critical"),
        "nothing-critical": (_with(headers={"crit": []}), "critical"),
        "no-list-of-critical": (_with(headers={"crit": None}), "critical"),
        "text-for-the-critical": (_with(headers={"crit": SCHEME}), "critical"),
        "no-time": (_with(headers={SIGNED_AT: None}), "exactly the time"),
        "malformed-time": (_with(headers={SIGNED_AT: "yesterday"}), "time is malformed"),
        "huge-time": (_headers(lambda kind: {SIGNED_AT: Tag(1, 1 << 60) if kind == "cose" else "9" * 30}), "malformed"),
        "time-in-the-future": (_headers(lambda kind: {SIGNED_AT: time_of(kind, 1)}), "future"),
        "time-before-the-certificate": (
            _headers(lambda kind: {SIGNED_AT: time_of(kind, -3)}),
            "at the time of signing",
        ),
        "time-after-the-certificate": (_headers(lambda kind: {SIGNED_AT: time_of(kind, 40)}), "at the time of signing"),
        "expired": (_expiring(-0.1), "has expired"),
        "expired-before-it-was-signed": (_expiring(-0.6), "before it was signed"),
        "malformed-expiry": (_with(headers={EXPIRY: 7, "crit": [SCHEME, EXPIRY]}), "malformed"),
        "wants-a-plugin": (_with(headers={f"{PREFIX}.verificationPlugin": "p"}), "plugin"),
        "unknown-unprotected": (_with(unsigned={"jku": "https://elsewhere.example"}), "unprotected"),
        "algorithm-unprotected": (_with(unsigned={"alg": "none"}), "unprotected"),
    }


def _of_keys() -> dict[str, tuple[Make, str]]:
    rsa, other = alone("rsa2048"), alone(number=1)
    return {
        **{
            f"algorithm-{name}": (lambda kind, name=name: draft(kind, rsa, headers={"alg": name}), "not the one of")  # type: ignore[misc]
            for name in ("none", "HS256", "RS256", "PS384", "PS512", "ES256")
        },
        "no-algorithm": (_with(headers={"alg": None}), "no algorithm"),
        "stronger-hash": (_with(headers={"alg": "ES512"}), "not the one of"),
        "no-signature": (_with(forge=lambda signature: b""), "does not match"),
        "cut-signature": (_with(forge=lambda signature: signature[:-1]), "does not match"),
        "longer-signature": (_with(forge=lambda signature: signature + b"\0"), "does not match"),
        "flipped-bit": (_with(forge=_flipped), "does not match"),
        "zeros-for-a-signature": (_with(forge=lambda signature: bytes(64)), "does not match"),
        "signature-as-der": (_with(forge=_as_der), "does not match"),
        "signed-by-another-key": (_with(key=other.key), "does not match"),
        "another-payload-was-signed": (_with(signed_payload=b"{}"), "does not match"),
        "rsa-flipped-bit": (lambda kind: draft(kind, rsa, forge=_flipped), "does not match"),
        "rsa-by-another-key": (lambda kind: draft(kind, rsa, key=alone("rsa2048", 1).key), "does not match"),
    }


def _flipped(signature: bytes) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ 1])


def _as_der(signature: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def _chain(*chain: Issued) -> Make:
    return lambda kind: draft(kind, *chain)


def _ders(*ders: bytes) -> Make:
    return lambda kind: draft(kind, *chain_of(), chain=list(ders))


def _of_chains() -> dict[str, tuple[Make, str]]:
    leaf, middle, root = chain_of()
    namesake = issue("Issuer", ca_extensions(0), root, number=7)
    by_namesake = issue("signer-p256", leaf_extensions(), namesake)
    by_leaf = issue("signer-p256", leaf_extensions(), leaf, number=8)
    return {
        "no-chain": (_ders(), "no usable length"),
        "no-root": (_ders(leaf.der, middle.der), "does not end with a self-signed root"),
        "no-issuer": (_ders(leaf.der, root.der), "not issued by the next"),
        "leaf-alone": (_ders(leaf.der), "does not end with a self-signed root"),
        "out-of-order": (_ders(leaf.der, root.der, middle.der), "chain"),
        "reversed": (_ders(root.der, middle.der, leaf.der), "authority"),
        "root-twice": (_ders(leaf.der, middle.der, root.der, root.der), "only 0 authorities|self-signed, but not"),
        "leaf-twice": (_ders(leaf.der, leaf.der, middle.der, root.der), "not that of an authority"),
        "something-behind-the-root": (_ders(alone().der, root.der), "self-signed, but not"),
        "issuer-of-the-same-name": (_chain(by_namesake, middle, root), "not issued by the next"),
        "issued-by-a-signer": (_chain(by_leaf, leaf, middle, root), "not that of an authority"),
        "eleven-certificates": (_ders(leaf.der, *[middle.der] * 9, root.der), "no usable length"),
        "no-certificate": (_ders(b"certificate"), "malformed"),
        "empty-certificate": (_ders(b""), "malformed"),
        "bytes-behind-the-certificate": (_ders(leaf.der + b"\0", middle.der, root.der), "malformed"),
        "cut-certificate": (_ders(leaf.der[:-1], middle.der, root.der), "malformed"),
        "huge-certificate": (_ders(bytes(70000)), "too long"),
        "untrusted-root": (_chain(*_strangers()), "not trusted"),
        "untrusted-self-signed": (_chain(alone(number=3)), "not trusted"),
    }


def _strangers() -> tuple[Issued, Issued]:
    root = issue("Root", ca_extensions(), number=9)
    return issue("signer-p256", leaf_extensions(), root), root


def _leaf(*extensions: Any, **options: Any) -> Make:
    """Return a maker of signatures by a signer with these *extensions*, whom the trusted root issued."""
    root = chain_of()[2]
    return _chain(issue("leaf", extensions or leaf_extensions(), root, **options), root)


def _issuer(*extensions: Any, **options: Any) -> Make:
    """Return the same by a signer whose issuer has these *extensions*."""
    root = chain_of()[2]
    issuer = issue("Odd", extensions or ca_extensions(), root, number=5, **options)
    return _chain(issue("leaf", leaf_extensions(), issuer), issuer, root)


def _eku(*names: str) -> tuple[x509.ExtendedKeyUsage, bool]:
    return x509.ExtendedKeyUsage([getattr(ExtendedKeyUsageOID, name) for name in names]), False


def _of_certificates() -> dict[str, tuple[Make, str]]:
    use, code = (usage("digital_signature"), True), _eku("CODE_SIGNING")
    ca, cert_sign = (x509.BasicConstraints(ca=True, path_length=None), True), (usage("key_cert_sign"), True)
    old, new = {"begin": NOW - 9 * DAY, "end": NOW - DAY / 2}, {"begin": NOW + DAY, "end": NOW + 9 * DAY}
    unknown = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)
    last = _headers(lambda kind: {SIGNED_AT: time_of(kind, -0.7)})
    return {
        "expired-signer": (lambda kind: replace(_leaf(**old)(kind), headers=last(kind).headers), "not valid now"),
        "expired-signer-that-signs-now": (_leaf(**old), "at the time of signing"),
        "signer-of-tomorrow": (_leaf(**new), "at the time of signing"),
        "expired-issuer": (_issuer(**old), "at the time of signing"),
        "usage-not-critical": (_leaf((use[0], False), code), "no critical key usage"),
        "no-usage": (_leaf(code), "no critical key usage"),
        "usage-of-certificates": (_leaf((usage("digital_signature", "key_cert_sign"), True)), "more than signatures"),
        "usage-of-encryption": (_leaf((usage("digital_signature", "key_encipherment"), True)), "more than signatures"),
        "usage-of-agreement": (_leaf((usage("digital_signature", "key_agreement"), True)), "more than signatures"),
        "usage-without-signatures": (_leaf((usage("content_commitment"), True)), "not for digital signatures"),
        "signer-as-authority": (_leaf(ca, use, code), "that of an authority"),
        "for-servers": (_leaf(use, _eku("SERVER_AUTH")), "code signing alone"),
        "for-clients": (_leaf(use, _eku("CLIENT_AUTH")), "code signing alone"),
        "for-everything": (_leaf(use, _eku("CODE_SIGNING", "ANY_EXTENDED_KEY_USAGE")), "code signing alone"),
        "for-timestamps": (_leaf(use, _eku("CODE_SIGNING", "TIME_STAMPING")), "code signing alone"),
        "critical-extension": (_leaf(use, code, unknown), "critical extension"),
        "issuer-without-constraints": (_issuer(cert_sign), "not that of an authority"),
        "issuer-with-constraints-not-critical": (_issuer((ca[0], False), cert_sign), "not that of an authority"),
        "issuer-that-is-none": (
            _issuer((x509.BasicConstraints(ca=False, path_length=None), True), cert_sign), "not that of an authority",
        ),
        "issuer-without-usage": (_issuer(ca), "no critical key usage"),
        "issuer-not-for-certificates": (_issuer(ca, (usage("crl_sign"), True)), "not for certificates"),
        "issuer-for-servers": (_issuer(ca, cert_sign, _eku("SERVER_AUTH")), "code signing"),
        "issuer-with-critical-extension": (_issuer(ca, cert_sign, unknown), "critical extension"),
        "too-long-a-path": (_chain(*_long_path()), "only 0 authorities"),
        "sha-1": (_chain(sha1_signer()), "sha1"),
        "rsa-1024": (_leaf(kind="rsa1024"), "RSA with 1024"),
        "rsa-2056": (_leaf(kind="rsa2056"), "RSA with 2056"),
        "rsa-1024-issuer": (_issuer(kind="rsa1024"), "only 1024 bits"),
        "another-curve": (_leaf(kind="k256"), "secp256k1"),
        "another-curve-of-the-issuer": (_issuer(kind="k256"), "neither RSA nor on a known curve"),
        "ed25519": (_leaf(kind="ed25519"), "not RSA with"),
    }  # fmt: skip


def _long_path() -> tuple[Issued, ...]:
    root = chain_of()[2]
    first = issue("First", ca_extensions(0), root, number=5)
    second = issue("Second", ca_extensions(), first, number=6)
    return issue("leaf", leaf_extensions(), second), second, first, root


def _of_manifests() -> dict[str, tuple[Make, str]]:
    return {
        "other-thumbprints": (_with(thumbprints=f'["{"0" * 64}"]'), "thumbprints"),
        "no-thumbprints": (_with(thumbprints=None), "thumbprints"),
        "malformed-thumbprints": (_with(thumbprints="["), "thumbprints"),
        "more-thumbprints": (
            lambda kind: replace(draft(kind), thumbprints=draft(kind, *chain_of()).annotation), "thumbprints",
        ),
        "too-long": (_with(late=lambda raw: raw + b" " * (1 << 20)), "too long"),
        "nothing": (_with(late=lambda raw: b""), "malformed"),
        "first-half": (_with(late=lambda raw: raw[: len(raw) // 2]), "malformed"),
        "bytes-behind-it": (_with(late=lambda raw: raw + b"{}"), "malformed"),
        "the-other-format": (
            lambda kind: draft(kind, late=lambda _: draft({"jws": "cose", "cose": "jws"}[kind]).write()), "malformed",
        ),
    }  # fmt: skip


def _edited(change: Callable[[dict[str, Any]], object]) -> Draft:
    def late(raw: bytes) -> bytes:
        fields = json.loads(raw)
        change(fields)
        return json.dumps(fields).encode()

    return draft("jws", late=late)


def _of_jws() -> dict[str, tuple[Draft, str]]:
    whole = draft("jws")
    fields = json.loads(whole.write())
    header = base64.urlsafe_b64decode(fields["protected"] + "==")
    compact = ".".join(fields[name] for name in ("protected", "payload", "signature")).encode()
    # Signed as they are: what is refused is the way in which they are written.
    texts: dict[str, tuple[Any, str]] = {
        "jws-fraction-of-a-second": ({SIGNED_AT: time_of("jws")[:-1] + ".5Z"}, "whole seconds"),
        "jws-small-z": ({SIGNED_AT: time_of("jws").lower()}, "whole seconds"),
        "jws-no-zone": ({SIGNED_AT: time_of("jws")[:-1]}, "whole seconds"),
        "jws-algorithm-in-another-case-too": ({"ALG": "none"}, "case"),
        "jws-scheme-in-another-case": ({SCHEME: None, SCHEME.lower(): "notary.x509"}, "case"),
        "jws-payload-not-encoded": ({"b64": False, "crit": [SCHEME, "b64"]}, "critical"),
        "jws-critical-that-is-no-text": ({"crit": [SCHEME, 1]}, "critical"),
        "jws-algorithm-as-number": ({"alg": -7}, "no algorithm"),
    }
    return {
        **{name: (draft("jws", headers=headers), reason) for name, (headers, reason) in texts.items()},
        "jws-one-more-member": (_edited(lambda found: found.update(signatures=[])), "exactly payload"),
        "jws-one-member-less": (_edited(lambda found: found.pop("header")), "exactly payload"),
        "jws-member-in-another-case": (_edited(lambda found: found.update(Payload=found.pop("payload"))), "exactly"),
        "jws-general-form": (draft("jws", late=lambda _: json.dumps({"payload": fields["payload"], "signatures": [
            {name: fields[name] for name in ("protected", "header", "signature")}]}).encode()), "exactly payload"),
        "jws-compact": (draft("jws", late=lambda _: compact), "malformed"),
        "jws-payload-twice": (draft("jws", late=lambda raw: b'{"payload":"e30",' + raw[1:]), "twice"),
        "jws-signature-twice": (draft("jws", late=lambda raw: raw[:-1] + b',"signature":""}'), "twice"),
        "jws-chain-twice": (draft("jws", late=lambda raw: raw.replace(b'"x5c"', b'"x5c": [], "x5c"')), "twice"),
        "jws-header-twice": (_edited(lambda found: found.update(
            protected=url64(b'{"alg":"none",' + header[1:]))), "twice"),
        "jws-padded": (_edited(lambda found: found.update(signature=found["signature"] + "==")), "canonical|malformed"),
        "jws-other-base64": (_edited(lambda found: found.update(payload=found["payload"] + "/+")), "malformed"),
        "jws-line-break": (_edited(lambda found: found.update(payload=found["payload"] + "\n")), "malformed"),
        "jws-payload-is-an-object": (_edited(lambda found: found.update(payload={})), "no text"),
        "jws-no-certificates": (_edited(lambda found: found["header"].pop("x5c")), "no certificates"),
        "jws-one-certificate-as-text": (_edited(lambda found: found["header"].update(x5c="MII")), "no certificates"),
        "jws-certificates-not-base64": (_edited(lambda found: found["header"].update(x5c=["%"])), "malformed"),
        "jws-certificates-are-numbers": (_edited(lambda found: found["header"].update(x5c=[1])), "malformed"),
        "jws-key-of-its-own": (_edited(lambda found: found["header"].update(jwk={})), "unprotected"),
        "jws-utf-16": (draft("jws", late=lambda raw: raw.decode().encode("utf-16")), "malformed"),
        "jws-list": (draft("jws", late=lambda raw: b"[" + raw + b"]"), "malformed"),
        "jws-deep": (draft("jws", late=lambda _: b'{"header":' + b"[" * 90000), "malformed"),
    }  # fmt: skip


def _message(**parts: Any) -> Draft:
    """Return a COSE message of which some parts are others."""
    names = ("protected", "unprotected", "payload", "signature")

    def late(_: bytes) -> bytes:
        return cbor(Tag(18, [{**_PARTS, **parts}[name] for name in names]))

    return draft("cose", late=late)


_PARTS = {"protected": cbor({}), "unprotected": {33: [alone().der]}, "payload": b"{}", "signature": bytes(64)}


def _of_cose() -> dict[str, tuple[Draft, str]]:
    def late(change: Callable[[bytes], bytes]) -> Draft:
        return draft("cose", late=change)

    one = cbor({1: -7})
    headers: dict[str, tuple[dict[str, Any], str]] = {
        "cose-time-without-tag": ({SIGNED_AT: time_of("cose").value}, "tag 1"),
        "cose-time-as-text": ({SIGNED_AT: "2026-01-01T00:00:00Z"}, "tag 1"),
        "cose-negative-time": ({SIGNED_AT: Tag(1, -1)}, "tag 1"),
        "cose-time-as-float": ({SIGNED_AT: Tag(1, 1.5)}, "malformed"),
        "cose-time-in-another-tag": ({SIGNED_AT: Tag(0, "2026-01-01T00:00:00Z")}, "malformed"),
        "cose-algorithm-as-text": ({"alg": "ES256K"}, "no algorithm"),
        "cose-algorithm-of-no-use": ({"alg": -65535}, "not the one of"),
        "cose-critical-number": ({"crit": [SCHEME, 3]}, "critical"),
        "cose-type-as-number": ({"cty": 50}, "no type"),
        "cose-a-boolean": ({"x": True}, "malformed"),
        "cose-null": ({"x": Raw(b"\xf6")}, "malformed"),
        "cose-undefined": ({"x": Raw(b"\xf7")}, "malformed"),
        "cose-unknown-tag": ({"x": Tag(55799, 1)}, "malformed"),
        "cose-no-utf-8": ({"x": Raw(b"\x61\xff")}, "malformed"),
        "cose-deep": ({"x": Raw(b"\x81" * 30 + b"\0")}, "malformed"),
        "cose-long-number": ({"x": Raw(b"\x18\x01")}, "longer than needed"),
    }
    return {
        **{name: (draft("cose", headers=fields), reason) for name, (fields, reason) in headers.items()},
        "cose-without-tag": (late(lambda raw: raw[1:]), "one signature"),
        "cose-of-many": (late(lambda raw: b"\xd8\x62" + raw[1:]), "malformed"),
        "cose-tag-twice": (late(lambda raw: b"\xd2" + raw), "four parts"),
        "cose-tag-written-longer": (late(lambda raw: b"\xd8\x12" + raw[1:]), "longer than needed"),
        "cose-indefinite-array": (late(lambda raw: b"\xd2\x9f" + raw[2:] + b"\xff"), "not definite"),
        "cose-three-parts": (late(lambda raw: b"\xd2\x83" + raw[2:]), "malformed"),
        "cose-five-parts": (late(lambda raw: b"\xd2\x85" + raw[2:] + b"\0"), "four parts"),
        "cose-huge-array": (late(lambda raw: b"\xd2\x9b" + b"\xff" * 8), "too early"),
        "cose-huge-bytes": (late(lambda raw: b"\xd2\x84\x5b" + b"\xff" * 8), "too early"),
        "cose-no-payload": (_message(payload=None), "malformed"),
        "cose-payload-as-text": (_message(payload="{}"), "not made of bytes"),
        "cose-indefinite-payload": (_message(payload=Raw(b"\x5f\x42{}\xff")), "not definite"),
        "cose-headers-as-map": (_message(protected={1: -7}), "not made of bytes"),
        "cose-headers-as-list": (_message(protected=cbor([1])), "not a map"),
        "cose-no-headers": (_message(protected=b""), "too early"),
        "cose-indefinite-headers": (_message(protected=b"\xbf" + one[1:] + b"\xff"), "not definite"),
        "cose-header-twice": (_message(protected=b"\xa2" + one[1:] * 2), "twice"),
        "cose-headers-in-disorder": (_message(protected=cbor({3: "x", 1: -7})), "not in order"),
        "cose-header-in-bytes": (_message(protected=cbor({b"alg": 1})), "neither a number nor a text"),
        "cose-unprotected-as-list": (_message(unprotected=[]), "unprotected"),
        "cose-unprotected-twice": (_message(unprotected=Raw(b"\xa2\x18\x21\x80\x18\x21\x80")), "twice"),
        "cose-no-certificates": (_message(unprotected={}), "no certificates"),
        "cose-one-certificate": (_message(unprotected={33: alone().der}), "no certificates"),
        "cose-certificates-as-text": (_message(unprotected={33: ["MII"]}), "no certificates"),
        "cose-key-id": (_message(unprotected={4: b"k", 33: []}), "unprotected"),
    }  # fmt: skip
