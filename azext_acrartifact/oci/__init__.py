"""The OCI side: references, descriptors, manifests, and a registry's requests, one method each."""
