"""The progress that a transfer reports. The face draws it; the core never prints."""

from __future__ import annotations

from ..oci.descriptor import Descriptor


class Progress:
    """Ignore all reports. Every method may be called from any thread."""

    def expect(self, size: int) -> None:
        """Expect *size* more bytes to be moved."""

    def started(self, blob: Descriptor, verb: str) -> None:
        """Show that work on *blob* begins; *verb* as in `Uploading`."""

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Count *size* bytes of *blob* as moved; a negative number must be moved again."""

    def finished(self, blob: Descriptor, verb: str) -> None:
        """Show that work on *blob* is done; *verb* as in `Uploaded` or `Exists`."""

    def note(self, text: str) -> None:
        """Show *text* to the person who waits."""

    def close(self) -> None:
        """Stop: no more reports follow."""
