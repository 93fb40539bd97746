"""Passes that are drawn once and run again and again."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.parts import series


@dataclass(frozen=True, slots=True)
class Repeat:
    """A round of passes, 2 and `last` (3, or 2 where there is no third), in a picture of few passes.

    `rounds` is how often it runs, None where that is found as it does; `text` says it.
    """

    last: int
    rounds: int | None
    text: str

    def number(self, pass_: int) -> int:
        """The pass that a drawn one is; for one of the round, its first."""
        return pass_ + 2 * ((self.rounds or 1) - 1) if pass_ > self.last else pass_

    def title(self, pass_: int) -> str:
        """`pass 2, 4, … 998 ↓`."""
        arrow = "↑" if pass_ % 2 else "↓"
        if pass_ < 2 or pass_ > self.last:
            return f"pass {self.number(pass_)} {arrow} {'bottom-up' if pass_ % 2 else 'top-down'}"
        if self.rounds is None:
            return f"pass {pass_}, {pass_ + 2}, … {arrow}"
        return f"pass {series(pass_, pass_ + 2 * (self.rounds - 1))} {arrow}"


def rounds(count: int) -> Repeat:
    """A pass down and a pass up, `count` times."""
    return Repeat(3, count, f"{count:,} rounds")
