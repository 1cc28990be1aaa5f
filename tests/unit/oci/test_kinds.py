"""Artifacts of other tools are recognized by the types that these tools write."""

from __future__ import annotations

import pytest

from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.kinds import kind_of
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.reference import parse_reference

IMAGE = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
DIGEST = digest_of(b"")
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HELM = "application/vnd.cncf.helm.config.v1+json"


@pytest.mark.parametrize(
    ("config", "layer", "artifact_type", "name", "command"),
    [
        (HELM, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", None, "a Helm chart", "helm pull oci://s.io/a"),
        (IMAGE, LAYER, None, "a container image", "docker pull s.io/a:1"),
        ("application/vnd.docker.container.image.v1+json", LAYER, None, "a container image", "docker pull s.io/a:1"),
        (IMAGE, "application/vnd.in-toto+json", None, "an attestation of a build", "docker buildx"),
        (IMAGE, "application/vnd.dev.cosign.simplesigning.v1+json", None, "a cosign signature", "cosign download"),
        (IMAGE, "application/vnd.dsse.envelope.v1+json", None, "a cosign attestation", "cosign download"),
        (EMPTY, "x/y", "application/vnd.dev.sigstore.bundle.v0.3+json", "a Sigstore bundle", "cosign download"),
        (EMPTY, "application/jose+json", "application/vnd.cncf.notary.signature", "a signature of the Notary", ""),
        ("x/y", "application/vnd.cncf.model.weight.v1.tar", None, "a ModelPack model", "modctl pull s.io/a:1"),
        (EMPTY, "x/y", "application/vnd.cnai.model.manifest.v1+json", "a ModelPack model", "modctl pull s.io/a:1"),
        ("application/vnd.wasm.config.v0+json", "application/wasm", None, "a WebAssembly module", "wkg oci pull s.io"),
        (EMPTY, "application/wasm", None, "a WebAssembly module", "wkg oci pull s.io/a:1"),
        (
            "application/vnd.docker.ai.model.config.v0.1+json",
            "x/y",
            None,
            "a model of Docker",
            "docker model",
        ),
        ("x/y", "application/vnd.ollama.image.model", None, "a model of Ollama", "ollama pull s.io/a:1"),
        ("application/vnd.kitops.modelkit.config.v1+json", "x/y", None, "a KitOps ModelKit", "kit unpack s.io/a:1"),
        ("application/vnd.cncf.flux.config.v1+json", "x/y", None, "an artifact of Flux", "flux pull artifact oci://s"),
        (EMPTY, "x/y", "application/vnd.ms.bicep.module.artifact", "a Bicep module", "az bicep restore"),
        (EMPTY, "application/vnd.sylabs.sif.layer.v1.sif", None, "a Singularity image", "apptainer pull oras://s.io"),
        (EMPTY, "x/y", "application/x.y", "of an unknown kind", ""),
    ],
)
def test_a_kind_is_known_by_its_types(
    config: str, layer: str, artifact_type: str | None, name: str, command: str
) -> None:
    blobs = [Descriptor(one, DIGEST, 0) for one in (config, layer)]
    kind = kind_of(build_manifest(blobs[0], blobs[1:], artifact_type=artifact_type))
    assert kind.name.startswith(name)
    assert kind.fetching(parse_reference("s.io/a:1")).startswith(command)


def test_the_command_has_the_version_that_was_asked_for() -> None:
    kind = kind_of(build_manifest(Descriptor(HELM, DIGEST, 0), []))
    assert kind.fetching(parse_reference("s.io/a/b:1.0")) == "helm pull oci://s.io/a/b --version 1.0"
    assert kind.fetching(parse_reference(f"s.io/a/b@{DIGEST}")) == f"helm pull oci://s.io/a/b@{DIGEST}"
