"""Help texts. A test runs every example, and requires that each names its page in docs/."""

from __future__ import annotations

from knack.help_files import helps

helps["acr artifact"] = """
type: group
short-summary: Store and share files in Azure Container Registry as OCI artifacts.
long-summary: |
  Uses the Azure CLI's login. Needs neither Docker nor ORAS; oras, crane, regctl and skopeo can read the artifacts.

  Content:         push, pull, show, list, delete
  Tags and locks:  tag, untag, update, purge
  References:      attach, list-referrers
  Signatures:      sign, verify
  Moving:          copy, backup, restore
  Access:          login, logout, check-access

  Each command has examples: az acr artifact push --help
  See docs/tutorial.md.
"""

helps["acr artifact push"] = """
type: command
short-summary: Push files and folders as an artifact.
long-summary: >
  The same files give the same digest on every machine. Only content that the registry does not have yet is uploaded.
  Run the same command again after a break: finished files are not sent again, and a large one resumes if the registry
  still has its upload session. See docs/files-and-folders.md, and docs/large-files.md for parts.
examples:
  - name: Push a file.
    text: az acr artifact push myregistry.azurecr.io/samples/artifact:1.0 --file ./artifact.txt
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
  - name: Push a folder with its .git, which is left out by default, and without all logs but one.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/bundle:1.0 --file docs
      --exclude "!.git" "*.log" "!keep.log"
  - name: Push a large file in parts of 256 MiB, over several connections.
    text: az acr artifact push myregistry.azurecr.io/samples/artifact:1.0 --file ./artifact.txt --part-size 256M
  - name: Push a file for one platform into an index.
    text: az acr artifact push myregistry.azurecr.io/samples/tool:1.0 --file ./artifact.txt --platform linux/arm64
  - name: Show what a push would upload, and check that the registry allows it.
    text: az acr artifact push myregistry.azurecr.io/samples/bundle:1.0 --file README.md docs --dry-run
  - name: Push an artifact and sign it.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/artifact:1.0 --file ./artifact.txt
      --sign-key https://myvault.vault.azure.net/keys/release
  - name: Push as a service principal, without az login.
    text: >
      az acr artifact push myregistry.azurecr.io/samples/artifact:1.0 --file ./artifact.txt
      --username 00000000-0000-0000-0000-000000000001 --password-stdin
"""

helps["acr artifact pull"] = """
type: command
short-summary: Pull an artifact's files and folders.
long-summary: >
  A file gets its final name once all of it is downloaded and verified. Unchanged files are not downloaded again, nor
  unchanged parts of a file that was pushed in parts. Run the same command again to resume an interrupted pull.
  See docs/files-and-folders.md.
examples:
  - name: Pull an artifact to the current folder.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
  - name: Pull the files of one media type.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
      --media-type application/vnd.unknown.layer.v1+txt
  - name: Pull some files to another folder.
    text: az acr artifact pull --name myregistry --image samples/bundle:1.0 --destination out --include docs "*.md"
  - name: Pull the Markdown files of a folder, without its drafts.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/bundle:1.0 --destination out --include "docs/**/*.md"
      --exclude "draft*"
  - name: Check whether the files in a folder are still those of the artifact.
    text: az acr artifact pull myregistry.azurecr.io/samples/bundle:1.0 --destination out --check --include docs "*.md"
  - name: Write one file, once it is verified, to standard output for another program.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0 --stdout
  - name: Pull to a folder without replacing anything there.
    text: az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0 --destination new --no-overwrite
  - name: Pull the artifact of an index for another platform.
    text: az acr artifact pull myregistry.azurecr.io/samples/tool:1.0 --platform linux/arm64 --destination arm
  - name: Pull the newest attached artifact of a type.
    text: >
      az acr artifact pull myregistry.azurecr.io/samples/artifact:1.0
      --referrer application/vnd.example.sbom.v1 --destination sbom
"""

helps["acr artifact attach"] = """
type: command
short-summary: Attach files and folders to an artifact, as a new artifact that refers to it.
long-summary: >
  An attached artifact needs no tag. It is deleted with the artifact that it is attached to. See docs/referrers.md.
examples:
  - name: Attach a file to an artifact.
    text: >
      az acr artifact attach myregistry.azurecr.io/samples/artifact:1.0 --file ./sbom.json:application/spdx+json
      --artifact-type application/vnd.example.sbom.v1
  - name: Attach the output of a program, read from standard input.
    text: >
      az acr artifact attach --name myregistry --image samples/artifact:1.0 --file - --stdin-name scan.txt
      --artifact-type application/vnd.example.scan.v1
"""

helps["acr artifact list-referrers"] = """
type: command
short-summary: List the artifacts attached to an artifact.
long-summary: >
  Shows a tree on a terminal, unless --output or --query is given. See docs/referrers.md.
examples:
  - name: List everything attached to an artifact, directly or through other artifacts.
    text: az acr artifact list-referrers myregistry.azurecr.io/samples/artifact:1.0 --recursive
  - name: List the attached artifacts of one type.
    text: >
      az acr artifact list-referrers --name myregistry --image samples/artifact:1.0
      --artifact-type application/vnd.example.sbom.v1 --query referrers[].digest
"""

helps["acr artifact show"] = """
type: command
short-summary: Show an artifact's properties, or its manifest.
long-summary: >
  Shows the fields of `az acr repository show --image`, and the media type, artifact type, size, files and tags.
  See docs/lifecycle.md.
examples:
  - name: Show an artifact.
    text: az acr artifact show --name myregistry --image samples/artifact:1.0
  - name: Show an artifact as a table.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --output table
  - name: Also show its locks and the number of attached artifacts, as a table.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --detail --output table
  - name: Show the manifest itself.
    text: az acr artifact show myregistry.azurecr.io/samples/artifact:1.0 --raw
"""

helps["acr artifact copy"] = """
type: command
short-summary: Copy an artifact to another repository or registry.
long-summary: >
  Within one registry, blobs are mounted. Between registries, Azure imports them if your identity may; otherwise they
  stream through this machine; --verbose shows which. Content that the target already has is not copied. Run the same
  command again to resume an interrupted copy. See docs/mirror-and-back-up.md.
examples:
  - name: Copy an artifact to another repository of the same registry.
    text: >
      az acr artifact copy myregistry.azurecr.io/samples/artifact:1.0 --to myregistry.azurecr.io/released/artifact:1.0
  - name: Show what a copy to another registry, with all attached artifacts, would do.
    text: >
      az acr artifact copy --name myregistry --image samples/artifact:1.0 --recursive
      --to-name targetregistry --to samples/artifact:1.0 --dry-run
  - name: Copy the artifact of an index for one platform, under two tags.
    text: >
      az acr artifact copy myregistry.azurecr.io/samples/tool:1.0 --platform linux/arm64
      --to targetregistry.azurecr.io/samples/tool:arm --tags latest-arm
"""

helps["acr artifact list"] = """
type: command
short-summary: List the repositories of a registry, or the artifacts of a repository.
long-summary: >
  Returns the complete list or fails. See docs/lifecycle.md.
examples:
  - name: List the repositories of a registry.
    text: az acr artifact list --name myregistry
  - name: List the five artifacts of a repository that changed last.
    text: >
      az acr artifact list --name myregistry --repository samples/artifact --orderby time_desc --top 5 --output table
  - name: List the artifacts of one type in a repository.
    text: >
      az acr artifact list myregistry.azurecr.io/samples/artifact
      --artifact-type application/vnd.unknown.config.v1+json
"""

helps["acr artifact tag"] = """
type: command
short-summary: Add tags to an artifact.
long-summary: >
  See docs/lifecycle.md.
examples:
  - name: Add two tags to an artifact.
    text: az acr artifact tag myregistry.azurecr.io/samples/artifact:1.0 --tags stable latest
  - name: Add a tag, and fail if it already names another artifact.
    text: az acr artifact tag --name myregistry --image samples/artifact:1.0 --tags 1.0.0 --no-overwrite
"""

helps["acr artifact untag"] = """
type: command
short-summary: Remove a tag. The artifact and its other tags stay.
long-summary: >
  See docs/lifecycle.md.
examples:
  - name: Remove a tag.
    text: az acr artifact untag myregistry.azurecr.io/samples/artifact:latest
  - name: Remove a tag, with the registry given by name.
    text: az acr artifact untag --name myregistry --image samples/artifact:stable
"""

helps["acr artifact update"] = """
type: command
short-summary: Lock or unlock a tag, an artifact by its digest, or a repository.
long-summary: >
  A lock on a tag does not lock the artifact, and a lock on the artifact does not lock its tags. See docs/lifecycle.md.
examples:
  - name: Lock a tag, so that it cannot be overwritten.
    text: az acr artifact update myregistry.azurecr.io/samples/artifact:1.0 --write-enabled false
  - name: Unlock a tag.
    text: az acr artifact update --name myregistry --image samples/artifact:1.0 --write-enabled true
  - name: Protect a repository from deletion.
    text: az acr artifact update --name myregistry --repository samples/bundle --delete-enabled false
"""

helps["acr artifact delete"] = """
type: command
short-summary: Delete an artifact, with all its tags and everything attached to it.
long-summary: >
  An artifact with a locked tag, or one that a tagged index lists, is deleted only with --force. See docs/lifecycle.md.
examples:
  - name: Delete an artifact, after a question that lists everything to be deleted.
    text: az acr artifact delete --name myregistry --image samples/artifact:1.0
  - name: Delete an artifact without a question.
    text: az acr artifact delete myregistry.azurecr.io/samples/artifact:1.0 --yes
"""

helps["acr artifact purge"] = """
type: command
short-summary: Delete old tags and old untagged artifacts.
long-summary: >
  Takes the filters and ages of `acr purge`. Removes tags, and with --untagged also deletes artifacts. Locked tags and
  artifacts are kept, and so are artifacts with referrers. Children of an index and referrers are deleted only with
  their parent. If one deletion fails, the others are still made, and the command fails at the end.
  See docs/lifecycle.md.
examples:
  - name: List the tags that begin with dev- and are older than 30 days, without deleting them.
    text: az acr artifact purge --name myregistry --filter "samples/.*:dev-.*" --ago 30d --dry-run --output table
  - name: Remove all old tags of a repository but the newest three, and delete artifacts that are left untagged.
    text: az acr artifact purge myregistry.azurecr.io/samples/bundle --ago 90d --keep 3 --untagged --yes
  - name: Delete untagged artifacts in all repositories, with their signatures.
    text: az acr artifact purge --name myregistry --filter ".*:.*" --ago 2d12h --untagged-only --include-referrers --yes
"""

helps["acr artifact backup"] = """
type: command
short-summary: Save artifacts to an OCI image layout on the disk (a folder or a tar).
long-summary: >
  Without a tag or digest, saves all tagged artifacts of the repository. Content that the layout already has is verified
  and not downloaded again: run the same command again to resume a backup, or to update it. oras, regctl, skopeo and
  others can read the layout. See docs/mirror-and-back-up.md.
examples:
  - name: Save an artifact and everything attached to it to a folder.
    text: az acr artifact backup myregistry.azurecr.io/samples/artifact:1.0 --destination saved --recursive
  - name: Save all tagged artifacts of a repository to one file.
    text: az acr artifact backup --name myregistry --repository samples/bundle --destination bundle.tar
  - name: Show what would be downloaded.
    text: az acr artifact backup myregistry.azurecr.io/samples/artifact:1.0 --destination saved --dry-run --output table
"""

helps["acr artifact restore"] = """
type: command
short-summary: Restore artifacts from an OCI image layout on the disk (a folder or a tar).
long-summary: >
  Without a tag or digest, restores everything that the layout lists. oras, regctl or skopeo may have written the
  layout. A tar is not unpacked, and all content is verified. Content that the registry already has is not uploaded.
  See docs/mirror-and-back-up.md.
examples:
  - name: Restore an artifact under another tag.
    text: az acr artifact restore myregistry.azurecr.io/samples/artifact:restored --source saved --source-tag 1.0
  - name: Restore everything, with all attached artifacts, to another repository.
    text: az acr artifact restore --name myregistry --repository samples/copy --source bundle.tar --recursive
"""

helps["acr artifact sign"] = """
type: command
short-summary: Sign artifacts with a key in a Key Vault, or in a file.
long-summary: >
  Attaches a signature of the Notary Project, which notation, Ratify and Azure Kubernetes Service verify as well. Uses
  the Azure CLI's login for the registry and the vault; the key never leaves the vault. See docs/signing.md.
examples:
  - name: Sign an artifact with a key in a Key Vault.
    text: >
      az acr artifact sign myregistry.azurecr.io/samples/artifact:1.0 --key https://myvault.vault.azure.net/keys/release
  - name: Sign two artifacts for 90 days, with what built them.
    text: >
      az acr artifact sign --name myregistry --image samples/artifact:1.0 samples/bundle:1.0 --expiry 90d
      --key https://myvault.vault.azure.net/certificates/release --user-metadata build=7
  - name: Sign with a key in a file, in the format COSE.
    text: >
      az acr artifact sign myregistry.azurecr.io/samples/artifact:1.0 --key-file key.pem --certificate-file chain.pem
      --signature-format cose
"""

helps["acr artifact verify"] = """
type: command
short-summary: Verify that an artifact is signed by somebody you trust.
long-summary: >
  Fails unless at least one signature is trusted: by the certificates that you give, or else by the trust policy and the
  trust stores of notation. Timestamps and revocation are not checked; a policy that wants them is an error.
  See docs/signing.md.
examples:
  - name: Verify by the trust policy of notation.
    text: az acr artifact verify myregistry.azurecr.io/samples/artifact:1.0
  - name: Verify that one of your own signed an artifact, by the root that issued its certificate.
    text: >
      az acr artifact verify --name myregistry --image samples/artifact:1.0 --certificate-file root.pem
      --trusted-identity "x509.subject: C=US, ST=WA, O=Acme"
"""

helps["acr artifact login"] = """
type: command
short-summary: Store a credential for a registry where oras, helm, podman and docker look for one.
long-summary: >
  Writes to docker's config.json, or to the credential helper that it names; docker itself is not needed. The registry
  checks the credential first. One from the Azure CLI's login is valid for three hours. After `az login`, the commands
  of `az acr artifact` need no stored credential. See docs/sign-in.md.
examples:
  - name: Let other tools use the Azure CLI's login for three hours.
    text: az acr artifact login --name myregistry
  - name: Store the password of a service principal.
    text: az acr artifact login myregistry.azurecr.io --username 00000000-0000-0000-0000-000000000001 --password-stdin
"""

helps["acr artifact logout"] = """
type: command
short-summary: Remove the credential for a registry that `az acr artifact login` or docker stored.
long-summary: >
  See docs/sign-in.md.
examples:
  - name: Remove a registry's credential.
    text: az acr artifact logout --name myregistry
  - name: Remove it, with the registry given by its login server.
    text: az acr artifact logout myregistry.azurecr.io
"""

helps["acr artifact check-access"] = """
type: command
short-summary: Show what your identity may do in repositories, and which role it is missing.
long-summary: >
  Asks the registry for tokens and reads the permissions in them. The repositories need not exist. With --action, the
  command fails unless all of those are allowed, so that a pipeline stops before it begins its work.
  See docs/sign-in.md.
examples:
  - name: Show all permissions on two repositories.
    text: az acr artifact check-access --name myregistry --repository samples/artifact samples/bundle --output table
  - name: Fail unless a push is allowed.
    text: az acr artifact check-access myregistry.azurecr.io/samples/artifact --action pull push
"""
