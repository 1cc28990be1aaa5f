"""OCI references, descriptors and manifests, and a registry's requests, one method each."""
