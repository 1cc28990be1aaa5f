"""A list of patterns, the last of which that matches decides, as in a .gitignore file."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidInputError
from .globs import Glob
from .names import composed


class Patterns:
    """Compiled patterns, and which of them have matched anything."""

    def __init__(self, globs: Iterable[Glob] = (), used: set[str] | None = None) -> None:
        self.globs = tuple(globs)
        self.used: set[str] = set() if used is None else used
        """The texts of those that have matched something."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Patterns:
        """Compile patterns as typed; a text of several lines is read as a file of patterns. Raises InvalidInputError
        for one that can match nothing."""
        return cls(glob for text in texts for glob in (_lines(text) if "\n" in text else [Glob(text)]))

    @classmethod
    def of_file(cls, text: str, where: str) -> Patterns:
        """Compile the lines of a file like .gitignore, called *where* in errors. Raises InvalidInputError."""
        return cls(_lines(text, where))

    def __bool__(self) -> bool:
        return bool(self.globs)

    @property
    def unused(self) -> list[str]:
        """The patterns that have matched nothing so far."""
        return list(dict.fromkeys(glob.text for glob in self.globs if glob.text not in self.used))

    def followed_by(self, others: Patterns) -> Patterns:
        """Return these patterns and, after them, *others*, which note what was used."""
        return Patterns((*self.globs, *others.globs), others.used)

    def without(self, texts: Iterable[str]) -> Patterns:
        """Return the patterns that do not spell one of *texts*. Both lists note together what was used."""
        spelled = set(map(composed, texts))
        return Patterns((glob for glob in self.globs if glob.name not in spelled), self.used)

    def leaves_out(self, path: str, folder: bool, above: bool = False) -> bool:
        """Return whether these patterns of files to leave out match *path*; *above*: whether they match its folder.

        From a folder that is left out, only a negated pattern with a `/` takes a file back. git never does, but Azure
        Pipelines: https://learn.microsoft.com/azure/devops/artifacts/reference/artifactignore
        """
        last = self._last(path, folder, above)
        return above if last is None else last

    def takes(self, path: str, folder: bool, above: bool = False) -> bool:
        """Return whether these patterns of files to take match *path*; *above*: whether they match its folder."""
        last = self._last(path, folder, False)
        return above if last is None else last

    def _last(self, path: str, folder: bool, only_anchored: bool) -> bool | None:
        """Return whether the last pattern that matches *path* selects it, None if none matches."""
        found = None
        for glob in self.globs:
            is_name = glob.negated and composed(path) == composed(glob.text)
            if not is_name and not glob.matches(path, folder):
                continue
            self.used.add(glob.text)
            if is_name or not glob.negated:
                found = True
            elif glob.anchored or not only_anchored:
                found = False
        return found

    def may_take_back_below(self, folder: str) -> bool:
        """Return whether a file below *folder*, which is left out, can be taken back."""
        return any(glob.negated and glob.anchored and glob.may_match_below(folder) for glob in self.globs)

    def may_match_below(self, folder: str) -> bool:
        """Return whether any pattern can match below *folder*."""
        return any(glob.may_match_below(folder) for glob in self.globs)

    def leaves_out_all_below(self, folder: str) -> bool:
        """Return whether everything below *folder* is left out by a pattern such as `docs/**`."""
        covering = [number for number, glob in enumerate(self.globs) if not glob.negated and glob.covers(folder)]
        if not covering or any(glob.negated and glob.may_match_below(folder) for glob in self.globs[covering[-1] :]):
            return False
        self.used.update(self.globs[number].text for number in covering)
        return True


def why_unmatched(option: str, text: str) -> str:
    """Return a sentence about the pattern *text* of *option*, which matched nothing, and the likely reason."""
    reason = ""
    if text.startswith("@"):
        reason = ": az reads @FILE only if FILE exists"
    elif text.startswith("!"):
        reason = ": a file in a folder that is left out is taken back only by a pattern with a /"
    elif "{" in text:
        reason = ": braces stand for themselves; give a pattern for each name"
    elif "\\" in text:
        reason = ": a backslash makes the next character a plain one; write / between folders"
    return f"No file matches {option} {text}{reason}"


def _lines(text: str, where: str = "") -> Iterable[Glob]:
    """Yield the patterns of a file's lines; empty ones and those that begin with `#` are none."""
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            yield Glob(line)
        except InvalidInputError as error:
            at = f"{where}, line {number}: " if where else ""
            raise InvalidInputError(error.what, where=f"{at}{line}", why=error.why, hint=error.hint) from error
