"""The store of refresh tokens on this machine, by the persistence that Azure CLI uses for its own tokens.

https://github.com/AzureAD/microsoft-authentication-extensions-for-python: encrypted for this user on Windows (DPAPI)
and macOS (keychain), and where `core.encrypt_token_cache` asks for it; elsewhere a file that only its owner can read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...filelock import locked
from ..context import CommandContext

if TYPE_CHECKING:
    from msal_extensions.persistence import BasePersistence

LONGEST_WAIT = 2.0
"""Seconds to wait for another process to release the lock, which it holds for a millisecond."""
_NAME = "refresh_tokens"


def vault_of(cmd: CommandContext) -> FileVault | None:
    """Return the vault of this user, or None after `az config set acrartifact.token_cache=off`."""
    if not cmd.is_on("acrartifact", "token_cache", default=True):
        return None
    encrypt = cmd.is_on("core", "encrypt_token_cache", default=sys.platform in ("win32", "darwin"))
    return FileVault(cmd.config_folder / "acrartifact", encrypt=encrypt)


class FileVault:
    """A text in *folder*; see `Vault`."""

    def __init__(self, folder: Path, *, encrypt: bool) -> None:
        self._folder = folder
        self._encrypt = encrypt
        self._location = folder / f"{_NAME}{'.bin' if encrypt else '.json'}"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out; raises `OSError` after two seconds, and where there are no locks."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / f"{_NAME}.lock", LONGEST_WAIT) as is_locked:
            if not is_locked:
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
            yield

    def read(self) -> str:
        """Return the text; it is empty when there is none."""
        if not self._location.exists():
            return ""
        # Read a plain file directly: importing the persistence would cost every command 10 ms.
        return str(self._persistence.load()) if self._encrypt else self._location.read_text(encoding="utf-8")

    def write(self, text: str) -> None:
        """Replace the text."""
        if not self._encrypt and self._location.exists():
            os.chmod(self._location, 0o600)
        self._persistence.save(text)

    def clear(self) -> None:
        """Remove all tokens, after a logout. Never raises."""
        if self._location.exists():
            with contextlib.suppress(OSError, ValueError, RuntimeError, ImportError), self.lock():
                self.write("[]")

    @cached_property
    def _persistence(self) -> BasePersistence:
        from msal_extensions import FilePersistence, build_encrypted_persistence

        return (build_encrypted_persistence if self._encrypt else FilePersistence)(str(self._location))
