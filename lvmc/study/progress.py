"""What the runs of a study tell, brought together: how much of all is done, and a line whenever a run ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lvmc.study.runner import Event


class Progress:
    """Hears events of runs, of several processes too; passes on what people read."""

    def __init__(
        self, runs: Sequence[str], tell: Callable[[str, float], None] | None, say: Callable[[str], None] | None
    ) -> None:
        self._runs, self._tell, self._say = tuple(runs), tell, say
        self._shares = dict.fromkeys(runs, 0.0)
        self._at: dict[str, str] = {}
        self._remarked: set[str] = set()

    def hear(self, event: Event) -> None:
        """Take one event in."""
        match event.kind:
            case "begins" | "step":
                self._at[event.run] = event.text
                self._shares[event.run] = min(max(event.share, self._shares[event.run]), 1.0)
            case "kept":
                self._shares[event.run] = 1.0
            case "remark":
                self._remark(event)
            case ended:
                self._at.pop(event.run, None)
                self._shares[event.run] = 1.0
                self._line(f"{event.run}: {ended}" + (f", {event.text}" if event.text else ""))
        if self._tell:
            doing = "; ".join(f"{run} {text}".rstrip() for run, text in self._at.items())
            self._tell(doing, sum(self._shares.values()) / max(len(self._shares), 1))

    def _remark(self, event: Event) -> None:
        """Pass on what was not said before: runs on the same data remark the same."""
        if self._say and event.text not in self._remarked:
            self._remarked.add(event.text)
            self._say(f"{event.run}: {event.text}")

    def _line(self, text: str) -> None:
        if self._say:
            ended = sum(share == 1 for share in self._shares.values())
            self._say(f"[{ended}/{len(self._runs)}] {text}")
