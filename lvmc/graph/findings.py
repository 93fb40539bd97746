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

    def add(
        self, path: Path, fault: str, remedy: str = "", *, on_key: bool = False, needs: tuple[Path, ...] = ()
    ) -> None:
        """Note a mistake, unless the value at `path`, or one of those it `needs`, could not be read properly."""
        inside = any(path[: len(wrong)] == wrong for wrong in self.unsure)
        if not inside and not any(map(self.doubts, needs)):
            self.found.append(Finding(path, fault, remedy, on_key))

    def doubts(self, path: Path) -> bool:
        """Whether the value at `path`, or one inside or around it, could not be read properly."""
        return any(wrong[: len(path)] == path[: len(wrong)] for wrong in self.unsure)

    def lost(self, section: str) -> bool:
        """Whether a whole section of the spec could not be read, so that its names are not known."""
        return (section,) in self.unsure
