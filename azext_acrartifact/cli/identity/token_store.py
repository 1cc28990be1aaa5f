"""Where refresh tokens are kept on this machine: by the persistence that Azure CLI keeps its own tokens with.

https://github.com/AzureAD/microsoft-authentication-extensions-for-python: encrypted for this user on Windows (DPAPI)
and macOS (keychain), and where `core.encrypt_token_cache` asks for it; elsewhere a file that its owner alone can read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from ...filelock import locked

LONGEST_WAIT = 2.0
"""Seconds for another process to let go of the file; it holds it for a millisecond."""
_NAME = "refresh_tokens"


def vault_of(cmd: Any) -> FileVault | None:
    """The vault of this user, or None after `az config set acrartifact.token_cache=off`."""
    config = cmd.cli_ctx.config
    if not config.getboolean("acrartifact", "token_cache", fallback=True):
        return None
    encrypt = config.getboolean("core", "encrypt_token_cache", fallback=sys.platform in ("win32", "darwin"))
    return FileVault(Path(config.config_dir) / "acrartifact", encrypt=encrypt)


class FileVault:
    """A text in *folder*; see `Vault`."""

    def __init__(self, folder: Path, *, encrypt: bool) -> None:
        self._folder = folder
        self._encrypt = encrypt
        self._location = folder / f"{_NAME}{'.bin' if encrypt else '.json'}"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold other processes off; `OSError` after two seconds, and where there are no locks."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / f"{_NAME}.lock", LONGEST_WAIT) as held:
            if not held:
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
            yield

    def read(self) -> str:
        """The text, empty when there is none."""
        if not self._location.exists():
            return ""
        # A plain file is read as it is: importing the persistence takes 10 ms, which every command would pay.
        return str(self._persistence.load()) if self._encrypt else self._location.read_text(encoding="utf-8")

    def write(self, text: str) -> None:
        """Replace the text."""
        if not self._encrypt and self._location.exists():
            os.chmod(self._location, 0o600)
        self._persistence.save(text)

    def clear(self) -> None:
        """Forget everything: nobody is logged in. Never raises."""
        if self._location.exists():
            with contextlib.suppress(OSError, ValueError, RuntimeError, ImportError), self.lock():
                self.write("[]")

    @cached_property
    def _persistence(self) -> Any:
        from msal_extensions import FilePersistence, build_encrypted_persistence

        return (build_encrypted_persistence if self._encrypt else FilePersistence)(str(self._location))
