"""What a session of training is told besides its spec."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lvmc.training.engine import Accelerator, Strategy

SETS = ("validation", "test", "covered")


@dataclass(frozen=True, slots=True)
class Order:
    """As `train_spec` takes it."""

    folder: Path
    data_folder: Path | None = None
    resume: bool = False
    force: bool = False
    stop_after: int | None = None
    devices: int = 1
    strategy: Strategy = "auto"
    accelerator: Accelerator = "auto"
    evaluate_on: tuple[str, ...] = SETS
    save_every: int | None = None

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        paths = {"folder": str(self.folder), "data_folder": self.data_folder and str(self.data_folder)}
        return asdict(self) | paths | {"evaluate_on": list(self.evaluate_on)}


def order_of(document: dict[str, Any]) -> Order:
    """What `document` wrote."""
    given = dict(document)
    folder, data_folder = Path(given.pop("folder")), given.pop("data_folder")
    evaluate_on = tuple(given.pop("evaluate_on"))
    return Order(folder, data_folder and Path(data_folder), evaluate_on=evaluate_on, **given)
