"""Choose files of an artifact by the patterns of `--include`, `--exclude` and `--media-type`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .patterns import Patterns


def media_type_matches(pattern: str, media_type: str) -> bool:
    """Return whether *media_type* matches *pattern*, where `*` stands for any text. Case is ignored (RFC 6838 §4.2)."""
    text = media_type.strip().lower()
    first, *others = pattern.strip().lower().split("*")
    if not others:
        return text == first
    *middle, last = others
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:  # the earliest place for each part leaves most to the others
        position = text.find(part, position, end) + len(part)
        if position < len(part):
            return False
    return True


class Selection:
    """Selects files by patterns of those to *include* and to *exclude*, and by media type. Empty lists select all."""

    def __init__(
        self,
        include: Patterns | None = None,
        exclude: Patterns | None = None,
        media_types: Sequence[str] = (),
        *,
        by_default: bool | None = None,
    ) -> None:
        """Compile nothing. *by_default* says whether a file is selected that no pattern of *include* matches."""
        self.include, self.exclude, self._media_types = include or Patterns(), exclude or Patterns(), media_types
        self._by_default = not self.include if by_default is None else by_default
        self._known: tuple[Sequence[str], Sequence[tuple[bool, bool]]] = ([], [(self._by_default, False)])

    @classmethod
    def of(cls, include: Iterable[str] = (), exclude: Iterable[str] = (), media_types: Iterable[str] = ()) -> Selection:
        """Compile patterns as the user typed them. Raises InvalidInputError."""
        return cls(Patterns.of(include), Patterns.of(exclude), tuple(media_types))

    def has_type(self, media_type: str) -> bool:
        """Return whether files of *media_type* are selected."""
        return not self._media_types or any(media_type_matches(pattern, media_type) for pattern in self._media_types)

    def takes(self, path: str, folder: bool = False) -> bool:
        """Return whether the file or *folder* of this *path* is selected, itself or by a folder above it. Exclusion
        wins."""
        included, excluded = self._state(path, folder)
        return included and not excluded

    def takes_below(self, folder: str) -> bool:
        """Return whether anything below *folder* may be selected."""
        included, excluded = self._state(folder, True)
        if excluded and not self.exclude.may_take_back_below(folder):
            return False
        if self.exclude.leaves_out_all_below(folder):
            return False
        return included or any(not glob.negated and glob.may_match_below(folder) for glob in self.include.globs)

    def divides(self, folder: str) -> bool:
        """Return whether the patterns may select some of *folder*'s content and not the rest."""
        return self.include.may_match_below(folder) or self.exclude.may_match_below(folder)

    def within_folders(self, titles: Iterable[str]) -> Selection:
        """Return the selection of files within packed folders. A pattern that spells one of *titles*, those of files
        beside the folders, is for that file alone: no folder is downloaded to look for another of that name."""
        return Selection(self.include.without(titles), self.exclude, by_default=self._by_default)

    def _state(self, path: str, folder: bool) -> tuple[bool, bool]:
        """Return whether *path* is included, and whether it is excluded."""
        if not self.include and not self.exclude:
            return self._by_default, False
        above, _, last = path.rpartition("/")
        states = self._states(above)
        return self._decided(path, folder, states[-1]) if last else states[-1]

    def _states(self, folder: str) -> Sequence[tuple[bool, bool]]:
        """Return the states of the top, of each folder on the way to *folder*, and of itself. Neighbours share most of
        them, so the last ones are remembered."""
        parts = folder.split("/") if folder else []
        known, states = self._known
        shared = next(
            (n for n, (one, other) in enumerate(zip(known, parts, strict=False)) if one != other),
            min(len(known), len(parts)),
        )
        found = list(states[: shared + 1])
        for number in range(shared + 1, len(parts) + 1):
            found.append(self._decided("/".join(parts[:number]), True, found[-1]))
        self._known = (parts, found)  # at once: several threads may select
        return found

    def _decided(self, path: str, folder: bool, above: tuple[bool, bool]) -> tuple[bool, bool]:
        return self.include.takes(path, folder, above[0]), self.exclude.leaves_out(path, folder, above[1])
