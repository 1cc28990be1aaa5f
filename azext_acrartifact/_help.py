"""Help texts. Every example is run by a test."""

from __future__ import annotations

from knack.help_files import helps

helps["acr artifact"] = """
type: group
short-summary: Store files in Azure Container Registry, and get them back, as OCI artifacts.
long-summary: >
  Uses the Azure CLI's login. Neither Docker nor ORAS is needed, and what is written here can be read by
  oras, crane, regctl and skopeo.
"""

helps["acr artifact push"] = """
type: command
short-summary: Push files and folders as an artifact.
long-summary: >
  The same files give the same digest, each time and on every machine. What the registry already has is not sent again.
examples:
  - name: Push a file with a media type and an empty config.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/artifact:1.0
      --manifest-config /dev/null:application/vnd.unknown.config.v1+json
      --file ./artifact.txt:application/vnd.unknown.layer.v1+txt
  - name: Push files and a folder with an artifact type and an annotation.
    text: >
      az acr artifact push --name myregistry --image samples/bundle:1.0 --file README.md docs
      --artifact-type application/vnd.example.bundle.v1 --annotation org.opencontainers.image.version=1.0
  - name: Push each file of a folder as a layer of its own.
    text: az acr artifact push myregistry.azurecr.io/samples/bundle:1.0 --file docs --split --exclude "*.log"
  - name: Push a file for one platform into an index.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/tool:1.0 --file ./artifact.txt --platform linux/arm64
  - name: Show what a push would send, and whether it may.
    text: az acr artifact push myregistry.azurecr.io/samples/bundle:1.0 --file README.md docs --dry-run
  - name: Push as a service principal, without az login.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/artifact:1.0 --file ./artifact.txt
      --username 00000000-0000-0000-0000-000000000001 --password-stdin
"""

helps["acr artifact pull"] = """
type: command
short-summary: Pull an artifact's files and folders.
long-summary: >
  A file takes its name only when all of it is there and right. A file that is already there and right is not fetched.
examples:
  - name: Pull an artifact to the current folder.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
  - name: Pull the files of one media type.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
      --media-type application/vnd.unknown.layer.v1+txt
  - name: Pull some files to another folder.
    text: >
      az acr artifact pull --name myregistry --image samples/bundle:1.0 --destination out
      --include docs "*.md"
  - name: See whether a folder still holds what the artifact does.
    text: az acr artifact pull myregistry.azurecr.io/samples/bundle:1.0 --destination out --check --include docs "*.md"
  - name: Give one file to another program, once it has been verified.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0 --stdout
  - name: Pull to a folder, but replace nothing there.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0 --destination new --no-overwrite
  - name: Pull what an index has for another platform.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/tool:1.0 --platform linux/arm64 --destination arm
  - name: Pull the newest artifact of a type that is attached to an artifact.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
      --referrer application/vnd.example.sbom.v1 --destination sbom
"""

helps["acr artifact attach"] = """
type: command
short-summary: Attach files and folders to an artifact, as an artifact that refers to it.
long-summary: >
  Attached artifacts have no tag of their own. They are deleted with the artifact that they are attached to.
examples:
  - name: Attach a file to an artifact.
    text: >
      az acr artifact attach myregistry.azurecr.io/samples/artifact:1.0 --file ./sbom.json:application/spdx+json
      --artifact-type application/vnd.example.sbom.v1
  - name: Attach what a program writes.
    text: >
      az acr artifact attach --name myregistry --image samples/artifact:1.0 --file - --stdin-name scan.txt
      --artifact-type application/vnd.example.scan.v1
"""

helps["acr artifact list-referrers"] = """
type: command
short-summary: List what is attached to an artifact.
long-summary: >
  A terminal shows a tree, unless another format is asked for with --output or --query.
examples:
  - name: List all that is attached to an artifact, and to what is attached to it.
    text: az acr artifact list-referrers myregistry.azurecr.io/samples/artifact:1.0 --recursive
  - name: List what of one type is attached to an artifact.
    text: >
      az acr artifact list-referrers --name myregistry --image samples/artifact:1.0
      --artifact-type application/vnd.example.sbom.v1 --query referrers[].digest
"""

helps["acr artifact show"] = """
type: command
short-summary: Show what an artifact is.
long-summary: >
  The fields of `az acr repository show --image`, and the media type, artifact type, size, files and tags.
examples:
  - name: Show an artifact.
    text: az acr artifact show --name myregistry --image samples/artifact:1.0
  - name: Show an artifact as a table.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --output table
  - name: Show also its locks and how much is attached to it, as a table.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --detail --output table
  - name: Show the manifest itself.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --raw
"""

helps["acr artifact copy"] = """
type: command
short-summary: Copy an artifact to another repository or registry.
long-summary: >
  Within one registry nothing is moved: it takes the content over. Between two, Azure copies if the Azure CLI's login
  may import, and otherwise this machine hands the content on without keeping it; --verbose says which. What is there
  already is not sent, so that a copy that was broken off goes on when it is run again.
examples:
  - name: Copy an artifact to another repository of the same registry.
    text: >
      az acr artifact copy myregistry.azurecr.io/samples/artifact:1.0 --to myregistry.azurecr.io/released/artifact:1.0
  - name: Show what a copy to another registry with all that is attached would do.
    text: >
      az acr artifact copy --name myregistry --image samples/artifact:1.0 --recursive
      --to-name targetregistry --to samples/artifact:1.0 --dry-run
  - name: Copy what an index has for one platform, under two tags.
    text: >
      az acr artifact copy myregistry.azurecr.io/samples/tool:1.0 --platform linux/arm64
      --to targetregistry.azurecr.io/samples/tool:arm --tags latest-arm
"""

helps["acr artifact list"] = """
type: command
short-summary: List the repositories of a registry, or the artifacts of a repository.
long-summary: >
  The whole list, however long it is, or an error.
examples:
  - name: List the repositories of a registry.
    text: az acr artifact list --name myregistry
  - name: List the five artifacts of a repository that were changed last.
    text: >
      az acr artifact list --name myregistry --repository samples/artifact --orderby time_desc --top 5 --output table
  - name: List what of one type is in a repository.
    text: >
      az acr artifact list myregistry.azurecr.io/samples/artifact
      --artifact-type application/vnd.unknown.config.v1+json
"""

helps["acr artifact tag"] = """
type: command
short-summary: Add tags to an artifact.
examples:
  - name: Add two tags to an artifact.
    text: az acr artifact tag myregistry.azurecr.io/samples/artifact:1.0 --tags stable latest
  - name: Add a tag that nobody has used for another artifact.
    text: az acr artifact tag --name myregistry --image samples/artifact:1.0 --tags 1.0.0 --no-overwrite
"""

helps["acr artifact untag"] = """
type: command
short-summary: Remove a tag. The artifact and its other tags stay.
examples:
  - name: Remove a tag.
    text: az acr artifact untag myregistry.azurecr.io/samples/artifact:latest
  - name: Remove a tag, with the registry named apart.
    text: az acr artifact untag --name myregistry --image samples/artifact:stable
"""

helps["acr artifact update"] = """
type: command
short-summary: Lock or unlock a tag, an artifact by its digest, or a repository.
long-summary: >
  A lock on a tag does not lock the artifact that it names, nor the other way round.
examples:
  - name: Lock a tag, so that it is not overwritten.
    text: az acr artifact update myregistry.azurecr.io/samples/artifact:1.0 --write-enabled false
  - name: Lift the lock of a tag.
    text: az acr artifact update --name myregistry --image samples/artifact:1.0 --write-enabled true
  - name: Let nobody delete a repository by accident.
    text: az acr artifact update --name myregistry --repository samples/bundle --delete-enabled false
"""

helps["acr artifact delete"] = """
type: command
short-summary: Delete an artifact, with all its tags and everything attached to it.
long-summary: >
  What has a locked tag, and what a tagged index lists, is deleted only with --force.
examples:
  - name: Delete an artifact after a question that names all that goes.
    text: az acr artifact delete --name myregistry --image samples/artifact:1.0
  - name: Delete an artifact without being asked.
    text: az acr artifact delete myregistry.azurecr.io/samples/artifact:1.0 --yes
"""

helps["acr artifact purge"] = """
type: command
short-summary: Delete old tags, and old artifacts without a tag.
long-summary: >
  Removes tags as `acr purge` does, whose filters and ages it takes; with --untagged it deletes artifacts as well. An
  artifact that an index lists, that is attached to another, or that something is attached to, stays as long as that
  does, and what is locked stays always. What cannot be deleted is named, and the rest goes on.
examples:
  - name: List what would go, of all tags that begin with dev- and are older than 30 days.
    text: az acr artifact purge --name myregistry --filter "samples/.*:dev-.*" --ago 30d --dry-run --output table
  - name: Remove old tags of a repository but for the newest three, and delete what is left without a tag.
    text: az acr artifact purge myregistry.azurecr.io/samples/bundle --ago 90d --keep 3 --untagged --yes
  - name: Delete what has no tag, and no other artifact needs, in all repositories, with the signatures of that.
    text: >
      az acr artifact purge --name myregistry --filter ".*:.*" --ago 2d12h --untagged-only --include-referrers --yes
"""

helps["acr artifact backup"] = """
type: command
short-summary: Save artifacts to an OCI image layout on the disk, a folder or a tar.
long-summary: >
  Without a tag and a digest, everything in the repository that has a tag is saved. What is there already is checked and
  not fetched again, so that an interrupted backup goes on, and the next one takes only what is new. oras, regctl,
  skopeo and others read the layout.
examples:
  - name: Save an artifact and what is attached to it to a folder.
    text: >
      az acr artifact backup myregistry.azurecr.io/samples/artifact:1.0 --destination saved --recursive
  - name: Save everything in a repository that has a tag to one file.
    text: az acr artifact backup --name myregistry --repository samples/bundle --destination bundle.tar
  - name: Show what would be fetched.
    text: az acr artifact backup myregistry.azurecr.io/samples/artifact:1.0 --destination saved --dry-run --output table
"""

helps["acr artifact restore"] = """
type: command
short-summary: Restore artifacts from an OCI image layout on the disk, a folder or a tar.
long-summary: >
  Without a tag and a digest, everything that the layout lists is restored. The layout may be one that oras, regctl or
  skopeo has written. It is not unpacked, and each byte of it is checked. What the registry has is not sent again.
examples:
  - name: Restore an artifact under another tag.
    text: >
      az acr artifact restore myregistry.azurecr.io/samples/artifact:restored --source saved --source-tag 1.0
  - name: Restore everything, with what is attached, to another repository.
    text: az acr artifact restore --name myregistry --repository samples/copy --source bundle.tar --recursive
"""

helps["acr artifact login"] = """
type: command
short-summary: Keep a credential for a registry where oras, helm, podman and docker look for one.
long-summary: >
  It goes to docker's config.json, or to the credential helper that is named there; docker itself is not needed. The
  registry checks it first. Azure CLI's login gives one for three hours. The commands of `az acr artifact` themselves
  need no such credential after `az login`.
examples:
  - name: Let other tools use the Azure CLI's login for three hours.
    text: az acr artifact login --name myregistry
  - name: Keep the password of a service principal.
    text: >
      az acr artifact login myregistry.azurecr.io
      --username 00000000-0000-0000-0000-000000000001 --password-stdin
"""

helps["acr artifact logout"] = """
type: command
short-summary: Remove the credential for a registry that `az acr artifact login` or docker kept.
examples:
  - name: Remove a registry's credential.
    text: az acr artifact logout --name myregistry
  - name: Remove it, by the login server.
    text: az acr artifact logout myregistry.azurecr.io
"""

helps["acr artifact check-access"] = """
type: command
short-summary: Show what the identity may do in repositories, and which role is missing.
long-summary: >
  The registry's own token says so. Nothing is read or written, and the repositories need not exist.
examples:
  - name: Show everything that may be done in two repositories.
    text: az acr artifact check-access --name myregistry --repository samples/artifact samples/bundle --output table
  - name: Show whether a push would be allowed.
    text: az acr artifact check-access myregistry.azurecr.io/samples/artifact --action pull push
"""
