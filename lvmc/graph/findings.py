"""Mistakes that only show when the sections of a spec meet, collected by the path of their key."""

from __future__ import annotations

from dataclasses import dataclass, field

from lvmc.source import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: where (a path into the spec), what, and what to write instead."""

    path: Path
    fault: str
    remedy: str = ""
    on_key: bool = False


@dataclass(slots=True)
class Findings:
    """Collects mistakes; those of sections already known to be wrong are not judged again."""

    unsure: frozenset[Path] = frozenset()
    found: list[Finding] = field(default_factory=list[Finding])

    def add(self, path: Path, fault: str, remedy: str = "", *, on_key: bool = False) -> None:
        """Note a mistake, unless its section could not be read properly."""
        if not (self.unsure & {path[:2], path[:1]}):
            self.found.append(Finding(path, fault, remedy, on_key))
