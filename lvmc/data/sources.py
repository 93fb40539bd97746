"""Every kind of data, opened for an input."""

from __future__ import annotations

from pathlib import Path

from lvmc.data.coco import open_coco
from lvmc.data.figures import open_figures
from lvmc.data.masks import open_masks
from lvmc.data.npz import open_npz
from lvmc.data.sample import Splits
from lvmc.graph import InputNode
from lvmc.spec.data import Coco, Figures, Masks, Npz


def open_data(record: Figures | Npz | Coco | Masks, block: InputNode, folder: Path | None = None) -> Splits:
    """The sets that a record describes, with pictures as an input takes them.

    Args:
        record: `train.data` of a spec.
        block: The input that pictures are for.
        folder: What names of files are relative to; the working folder if not given.

    Raises:
        ValueError: What is there contradicts itself, the record or the input; the message names file and record.
        OSError: A file is missing or cannot be read.
    """
    match record:
        case Figures():
            return open_figures(record, block)
        case Npz():
            return open_npz(record, block, folder)
        case Coco():
            return open_coco(record, block, folder)
        case Masks():
            return open_masks(record, block, folder)
