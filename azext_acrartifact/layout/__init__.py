"""OCI image layouts on disk: a storage beside the repository, as in oras-go."""
