"""Recognize artifacts of other tools by their types, and name the command that fetches them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from .manifest import Manifest
from .reference import Reference

HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
"""https://helm.sh/docs/topics/registries/#helm-chart-manifest"""
IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")


@dataclass(frozen=True)
class Kind:
    """What an artifact is, and the *command* of its own tool, in which {repository}, {version} and {reference} stand
    for its name."""

    name: str
    command: str = ""

    def fetching(self, reference: Reference) -> str:
        """Return the command for *reference*; empty if there is none."""
        repository = f"{reference.server}/{reference.repository}"
        version = f"@{reference.digest}" if reference.digest else f" --version {reference.tag}"
        return self.command.format(repository=repository, version=version, reference=reference)


_UNKNOWN = Kind("of an unknown kind")
_IMAGE = Kind("a container image", "docker pull {reference}")
_KINDS = (
    ("application/vnd.cncf.helm.*", Kind("a Helm chart", "helm pull oci://{repository}{version}")),
    ("application/vnd.dev.cosign.simplesigning.*", Kind("a cosign signature", "cosign download signature IMAGE")),
    ("application/vnd.dsse.envelope.*", Kind("a cosign attestation", "cosign download attestation IMAGE")),
    ("application/vnd.dev.sigstore.bundle*", Kind("a Sigstore bundle", "cosign download attestation IMAGE")),
    ("application/vnd.in-toto+json", Kind("an attestation of a build", "docker buildx imagetools inspect IMAGE")),
    ("application/vnd.in-toto.*", Kind("an attestation of a build", "docker buildx imagetools inspect IMAGE")),
    ("application/vnd.cncf.notary.*", Kind("a signature of the Notary Project", "notation inspect IMAGE")),
    ("application/vnd.cncf.model.*", Kind("a ModelPack model", "modctl pull {reference}")),
    ("application/vnd.cnai.model.*", Kind("a ModelPack model", "modctl pull {reference}")),
    ("application/vnd.kitops.*", Kind("a KitOps ModelKit", "kit unpack {reference}")),
    ("application/vnd.docker.ai.*", Kind("a model of Docker", "docker model pull {reference}")),
    ("application/vnd.ollama.*", Kind("a model of Ollama", "ollama pull {reference}")),
    ("application/vnd.cncf.flux.*", Kind("an artifact of Flux", "flux pull artifact oci://{reference} --output .")),
    ("application/vnd.ms.bicep.*", Kind("a Bicep module", "az bicep restore --file FILE")),
    ("application/vnd.sylabs.sif.*", Kind("a Singularity image", "apptainer pull oras://{reference}")),
    ("application/vnd.wasm.*", Kind("a WebAssembly module", "wkg oci pull {reference}")),
    ("application/wasm", Kind("a WebAssembly module", "wkg oci pull {reference}")),
    ("application/vnd.docker.plugin.*", Kind("a Docker plugin", "docker plugin install {reference}")),
    ("application/vnd.buildkit.*", Kind("a build cache of BuildKit")),
)
"""Kinds by patterns of a type: of the artifact, its config or its layers. Some tools give a container image's config to
what is none, so that layers count before it."""


def kind_of(manifest: Manifest) -> Kind:
    """Return the kind of *manifest*."""
    config = manifest.config.media_type if manifest.config else ""
    types = [manifest.artifact_type or "", config, *(layer.media_type for layer in manifest.layers)]
    for one in types:
        for pattern, kind in _KINDS:
            if fnmatchcase(one.lower(), pattern):
                return kind
    return _IMAGE if config in IMAGE_CONFIGS else _UNKNOWN
