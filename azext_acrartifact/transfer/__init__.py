"""Moving blobs: uploads, downloads and relays, which resume after a break."""
