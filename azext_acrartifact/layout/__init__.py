"""An OCI image layout on the disk: a storage beside the repository, as in oras-go."""
