"""Some samples of a set with all that a model says about them, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import About, Sample, SampleSet
from lvmc.evaluation.evaluate import class_names, names_and_limbs
from lvmc.evaluation.evaluation import Evaluation
from lvmc.evaluation.outputs import Output, evaluated_outputs
from lvmc.evaluation.predict import Predicted, outputs, said_of
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.segmentation import Segmentation
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.module import Model

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """What one head says about one sample.

    Attributes:
        head: Its name.
        points: (points, 2) as x, y in pixels of the sample.
        limbs: Pairs of points.
        heat: (points, H, W) probabilities.
        classes: (H, W) the likeliest class of each pixel.
        names: Of the points, or of the classes.
        label: The likeliest class of the picture.
        numbers: (D,) values.
    """

    head: str
    points: Numbers | None = None
    limbs: tuple[tuple[int, int], ...] = ()
    heat: Numbers | None = None
    classes: NDArray[np.uint8] | None = None
    names: tuple[str, ...] = ()
    label: int | None = None
    numbers: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample beside what each head says about it."""

    sample: Sample
    heads: tuple[Said, ...]

    @property
    def picture(self) -> Numbers:
        """The sample as colours (H, W, 3) in 0 … 1."""
        return colours(self.sample.image)


def colours(pixels: NDArray[np.uint8]) -> Numbers:
    """Pixels (H, W, channels) as colours (H, W, 3) in 0 … 1."""
    image = pixels.astype(np.float32) / np.float32(255)
    return image[..., :3] if image.shape[2] >= 3 else np.repeat(image[..., :1], 3, 2)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some samples of a set, by number."""

    samples: SampleSet
    indices: tuple[int, ...]

    @property
    def about(self) -> About:
        """As of the whole set."""
        return self.samples.about

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[self.indices[index]]


def look(model: Model, samples: SampleSet, indices: Sequence[int], train: Train) -> list[Shown]:
    """Run a model on some samples of a set; raises as `predict` does."""
    chosen = Chosen(samples, tuple(indices))
    known = evaluated_outputs(compiled_of(model).graph)
    rest = iter(chosen[row] for row in range(len(chosen)))
    found: list[Shown] = []
    for batch, out in outputs(model, chosen, train) if indices else ():
        found_of = said_of(model, batch, out, train)
        said = [(one, found_of[one.name]) for one in known if one.name in found_of]
        for row, sample in enumerate(islice(rest, len(batch.images))):
            all_said = (_said(one, each, out[one.key], row, samples.about) for one, each in said)
            found.append(Shown(sample, tuple(all_said)))
    return found


def worst(evaluation: Evaluation, name: str, count: int) -> list[int]:
    """Numbers of the samples of a set that the first head evaluated does worst on, the worst first."""
    own = {key: each for key, each in evaluation.errors.items() if key.startswith(f"{name}/")}
    errors = next((each for key, each in own.items() if key.endswith(("/error", "/off"))), None)
    if errors is None:
        right = next(iter(own.values()), np.zeros(0))
        by_sample = 1 - right
    else:
        known = ~np.isnan(errors)
        by_sample = np.where(known, errors, 0).sum(1) / np.maximum(known.sum(1), 1)
    order = np.argsort(-np.nan_to_num(by_sample, nan=-1.0), kind="stable")
    return order[:count].tolist()


def _said(head: Output, said: Predicted, output: Tensor, row: int, about: About) -> Said:
    if said.points is not None:
        names, limbs = names_and_limbs(head, about, said.points.shape[1])
        return Said(head.name, said.points[row], limbs, _heat(head, output[row]), names=tuple(names))
    if said.classes is not None and isinstance(head.record, Segmentation):
        names = class_names(head, about, head.record.channels)
        return Said(head.name, classes=said.classes[row], names=tuple(names))
    if said.numbers is not None:
        return Said(head.name, numbers=said.numbers[row])
    count = output.shape[1]
    label = None if said.labels is None else int(said.labels[row])
    return Said(head.name, names=tuple(class_names(head, about, count)), label=label)


def _heat(head: Output, logits: Tensor) -> Numbers | None:
    if not isinstance(head.record, Heatmap):
        return None
    values = logits.float().cpu()
    return (values.sigmoid() if head.record.loss == "logistic" else values.clamp(0, 1)).numpy()
