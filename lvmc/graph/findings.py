"""Mistakes that only show when the sections of a spec meet, collected by the path of their key."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvmc.values import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where (a path into the spec), what, and what to write instead."""

    path: Path
    fault: str
    remedy: str = ""
    on_key: bool = False


@dataclass(slots=True)
class Findings:
    """Collects mistakes; what depends on values already known to be wrong is not judged again."""

    unsure: frozenset[Path] = frozenset()
    found: list[Finding] = field(default_factory=list[Finding])
    _by_entry: dict[Path, list[Path]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_entry = {}
        for wrong in self.unsure:
            self._by_entry.setdefault(wrong[:2], []).append(wrong)

    def add(
        self, path: Path, fault: str, remedy: str = "", *, on_key: bool = False, needs: tuple[Path, ...] = ()
    ) -> None:
        """Note a mistake, unless the value at `path`, or one of those it `needs`, could not be read properly."""
        inside = any(path[: len(wrong)] == wrong for wrong in self._near(path))
        if not inside and not any(map(self.doubts, needs)):
            self.found.append(Finding(path, fault, remedy, on_key))

    def doubts(self, path: Path) -> bool:
        """Whether the value at `path`, or one inside or around it, could not be read properly."""
        return any(wrong[: len(path)] == path[: len(wrong)] for wrong in self._near(path))

    def lost(self, section: str) -> bool:
        """Whether a whole section of the spec could not be read, so that its names are not known."""
        return (section,) in self.unsure

    def _near(self, path: Path) -> list[Path]:
        """What is wrong in the entry of `path`, such as a layer, or in its whole section."""
        return [*self._by_entry.get(path[:2], ()), *self._by_entry.get(path[:1], ()), *self._by_entry.get((), ())]
