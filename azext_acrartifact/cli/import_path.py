"""Keep Python from importing what an artifact brings.

`python -m azure.cli`, which is how pip's `az` starts, puts the current folder first on `sys.path`
(https://docs.python.org/3/library/sys_path_init.html), and a pull writes there by default. Azure CLI imports its
formatters and much else only after a command has run, and we import optional libraries late: an artifact with a
`tabulate.py` or an `isal` folder would run.
"""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path


def distrust(folder: str | os.PathLike[str]) -> Sequence[str]:
    """Import nothing from *folder*, or from below it, for the rest of this process.

    The folders of the installation stay, since Azure CLI may be installed below the current folder: their absolute
    paths, wherever they are, are returned, so that nothing is written to them.
    """
    try:
        root = _real(os.path.abspath(folder))
    except FileNotFoundError:
        root = ""  # the current folder was deleted: nothing can be imported from it
    trusted = _installation()
    sys.path[:] = _without(sys.path, root, trusted)
    for module in list(sys.modules.values()):
        # Packages in several folders; a namespace package follows sys.path by itself.
        paths = getattr(module, "__dict__", {}).get("__path__")
        if isinstance(paths, list):
            paths[:] = _without(paths, root, trusted)
    return sorted({*map(_real, sys.path), *trusted, *_started_from()})


def _without(entries: Iterable[str], root: str, trusted: frozenset[str]) -> list[str]:
    """Return *entries* without those below *root*, and without those that follow the current folder around."""
    return [entry for entry in entries if os.path.isabs(entry) and not _is_below(_real(entry), root, trusted)]


def _is_below(path: str, root: str, trusted: frozenset[str]) -> bool:
    return _is_in(path, root) and not any(_is_in(path, home) for home in trusted)


def _is_in(path: str, folder: str) -> bool:
    return bool(folder) and (path == folder or path.startswith(folder.rstrip(os.sep) + os.sep))


@functools.cache
def _real(path: str | os.PathLike[str]) -> str:
    """Return *path* without links. Hundreds of packages are looked at again for a destination, in 10 ms."""
    return os.path.normcase(os.path.realpath(path))


def _installation() -> frozenset[str]:
    """Return the folders from which Python, Azure CLI and this extension are loaded."""
    named = sysconfig.get_paths()
    homes = [named[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    homes += [*getattr(site, "getsitepackages", list)(), site.getusersitepackages(), str(Path(__file__).parents[2])]
    return frozenset(map(_real, homes))


def _started_from() -> Iterable[str]:
    """Yield the folders whose files run when `az` starts the next time: of its virtual environment, which has its
    programs and its `pyvenv.cfg`, and of all extensions."""
    if sys.prefix != sys.base_prefix:
        yield _real(sys.prefix)
    extensions = sys.modules.get("azure.cli.core.extension")
    for name in ("EXTENSIONS_DIR", "EXTENSIONS_SYS_DIR"):
        if home := getattr(extensions, name, None):
            yield _real(home)
