"""Moving blobs: where a transfer begins, goes on after a break, and ends."""
