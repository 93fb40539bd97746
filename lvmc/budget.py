"""How long a diagnostic may take, and how it says what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic


def _silent(stage: str, done: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds from `start` on. `tell(stage, done)` is called as work goes on, `done` from 0 to 1."""

    seconds: float = inf
    tell: Callable[[str, float], None] = _silent
    start: float = field(default_factory=monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return monotonic() - self.start

    @property
    def left(self) -> float:
        """Seconds that are left; 0 once they are spent."""
        return max(0.0, self.seconds - self.spent)

    def part(self, share: float) -> Budget:
        """A share of what is left, from now on."""
        return Budget(self.left * share, self.tell)
