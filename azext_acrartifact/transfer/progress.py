"""What a transfer tells about itself. The face draws it; the core never prints."""

from __future__ import annotations

from ..oci.descriptor import Descriptor


class Progress:
    """Every call may come from any thread. This one ignores them all."""

    def expect(self, size: int) -> None:
        """*size* more bytes are to be moved."""

    def started(self, blob: Descriptor, verb: str) -> None:
        """Work on *blob* begins; *verb* is what is done, as in `Uploading`."""

    def advanced(self, blob: Descriptor, size: int) -> None:
        """*size* bytes of *blob* have moved; negative when they must move again."""

    def finished(self, blob: Descriptor, verb: str) -> None:
        """Work on *blob* is done; *verb* as in `Uploaded` or `Skipped`."""

    def note(self, text: str) -> None:
        """Something that a person who waits should know."""

    def close(self) -> None:
        """Nothing more comes."""
