"""3D poses from the points of a heatmap head (Lifting from the Deep), and what they look like in the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from lvmc.heads.head import Canvas, Desk, Fault, HeadRecord, Read, Reading
from lvmc.ir import TensorType, Variable
from lvmc.ir.ops import Add, Beliefs, Columns, Confidence, Gradient, KnownLoss, LiftPoints, Peaks, Weighted
from lvmc.lifting import basis_of
from lvmc.records import Count, Positive, Text, number, shown, whole, wrong
from lvmc.values import keyed, listed

POINTS2D, POINTS3D, BELIEF = "points2d", "points3d", "belief"
PARTS = (POINTS2D, POINTS3D, BELIEF)
JUDGED = PARTS[:2]


def _file(value: Any) -> Any:
    if isinstance(value, str) and value.endswith(".npz"):
        return value
    raise wrong(f"should name a .npz file, not {shown(value)}", "for example basis: poses_basis.npz")


def _scale(value: Any) -> Any:
    if value == "spread":
        return value
    if number(value) and value > 0:
        return float(value)
    raise wrong(f"should be spread or pixels a unit of the basis, not {shown(value)}", "write spread, or a number > 0")


def _weights(value: Any) -> Any:
    if value in ("equal", "confidence"):
        return value
    if number(value) and 0 < value < 1:
        return float(value)
    fault = f"should be equal, confidence or a number between 0 and 1, not {shown(value)}"
    raise wrong(fault, "for example weights: 0.2 to leave out points whose maps nowhere reach that probability")


def _window(value: Any) -> Any:
    if whole(value) and value > 0 and value % 2:
        return value
    raise wrong(f"should be an odd number of pixels, not {shown(value)}", "for example window: 7")


def _on(value: Any) -> Any:
    names = [value] if isinstance(value, str) else listed(value)
    given = dict.fromkeys(names, 1.0) if names and all(isinstance(each, str) for each in names) else keyed(value)
    if given and all(part in JUDGED and number(weight) and weight > 0 for part, weight in given.items()):
        return {part: float(weight) for part, weight in given.items()}
    raise wrong(f"should name points2d or points3d, not {shown(value)}", "for example on: {points2d: 1, points3d: 0.1}")


def _on_the_picture() -> dict[str, float]:
    return {POINTS2D: 1.0}


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
_PART = {"enum": list(JUDGED)}
_ON_SCHEMA: dict[str, Any] = {
    "anyOf": [
        _PART,
        {"type": "array", "items": _PART, "minItems": 1},
        {"type": "object", "propertyNames": _PART, "additionalProperties": _NUMBER, "minProperties": 1},
    ]
}


class Lift(HeadRecord):
    """Poses of a basis that are nearest to the landmarks: reprojected, in 3D, and as belief maps.

    The landmarks are read off the maps of another head by a soft arg-max (with `gradient: paper` at the maximum), and
    brought to the basis by their weighted mean and `scale`.
    """

    kind: Literal["lift"]
    reads: ClassVar[dict[str, Read]] = {}  # pyright: ignore[reportIncompatibleVariableOverride]  # it reads a head
    parts: ClassVar[tuple[str, ...]] = PARTS
    landmarks: Text
    basis: Annotated[str, BeforeValidator(_file), WithJsonSchema({"type": "string", "pattern": r"\.npz$"})]
    rotations: Count | None = None
    sigma: Positive = 1.0
    scale: Annotated[
        Literal["spread"] | float,
        BeforeValidator(_scale),
        WithJsonSchema({"anyOf": [{"const": "spread"}, _NUMBER]}),
    ] = "spread"
    weights: Annotated[
        Literal["equal", "confidence"] | float,
        BeforeValidator(_weights),
        WithJsonSchema({"anyOf": [{"enum": ["equal", "confidence"]}, _NUMBER | {"exclusiveMaximum": 1}]}),
    ] = "equal"
    window: Annotated[int, BeforeValidator(_window), WithJsonSchema({"type": "integer", "minimum": 1})] = 7
    temperature: Positive = 1.0
    gradient: Gradient = "autograd"
    loss: Literal["l2"] = "l2"
    on: Annotated[dict[str, float], BeforeValidator(_on), WithJsonSchema(_ON_SCHEMA)] = Field(
        default_factory=_on_the_picture
    )

    def reads_whole(self, layer: str) -> bool:
        """It reads no layer."""
        return False

    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """A file that is no basis, or one of other points."""
        yield from self._peak_faults()
        try:
            points = basis_of(Path(self.basis), self.rotations).mean.shape[2]
        except (FileNotFoundError, ValueError) as error:
            fault, _, remedy = str(error).partition("; ")
            yield Fault(("basis",), fault, remedy or "`lvmc fit-basis` writes files as they should be")
            return
        for reading in readings:
            if reading.channels != points:
                fault = f"the basis is of {points} points, but '{reading.layer}' has {reading.channels} channels"
                yield Fault(("basis",), fault, "fit a basis of the same points, in the same order")

    def _peak_faults(self) -> Iterator[Fault]:
        if self.gradient == "paper" and self.model_fields_set & {"window", "temperature"}:
            key = "window" if "window" in self.model_fields_set else "temperature"
            fault = f"with 'gradient: paper' landmarks are the places of maxima, so '{key}' means nothing"
            yield Fault((key,), fault, f"leave '{key}' out, or write gradient: autograd")

    def parameters(self, name: str, readings: Sequence[Reading]) -> Iterator[Variable]:
        """`heads.<name>.mean` (K, 3, L), `.basis` (K, J, 3, L), `.sigma` (K, J), `.noise` (K,), `.rotations` (R, 3, 3).

        Their values are the file's; they are not trained.
        """
        for leaf, values in vars(basis_of(Path(self.basis), self.rotations)).items():
            yield Variable(f"heads.{name}.{leaf}", TensorType(values.shape, batched=False), "basis")

    def equations(self, desk: Desk, readings: Sequence[Reading], canvas: Canvas) -> dict[str, str]:
        """Landmarks, the best pose, its points in the picture and in 3D, and Gaussians about the former."""
        maps, at, tag = readings[0].value, desk.origin, desk.tag
        window, temperature = (1, 1.0) if self.gradient == "paper" else (self.window, self.temperature)
        op = Peaks(window, temperature, self.gradient)
        points = desk.build.add(op, maps, name=f"{tag}_landmarks", origin=at)
        given = [points, *(f"heads.{desk.head}.{leaf}" for leaf in ("mean", "basis", "sigma", "noise", "rotations"))]
        if self.weights != "equal":
            least = None if self.weights == "confidence" else self.weights
            given.append(desk.build.add(Confidence(least), maps, name=f"{tag}_weights", origin=at))
        lift = LiftPoints(None if self.scale == "spread" else self.scale, self.gradient)
        pose = desk.build.add(lift, *given, name=f"{tag}_pose", origin=at)
        flat = desk.build.add(Columns(0, 2), pose, name=f"{tag}_points2d", origin=at)
        solid = desk.build.add(Columns(2, 5), pose, name=f"{tag}_points3d", origin=at)
        render = Beliefs(self.sigma, canvas.size, canvas.plane, self.gradient)
        belief = desk.build.add(render, flat, name=f"{tag}_belief", origin=at)
        return {POINTS2D: flat, POINTS3D: solid, BELIEF: belief}

    def target(self, output: TensorType) -> TensorType:
        """As the output: `points2d` (L, 2) in pixels, `points3d` (L, 3) as the basis has them; NaN where unknown."""
        return output

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Mean of squares over coordinates that are known, of the parts that `on` names, by their weights.

        Of points in 3D it is that of what is known about their mean point, on both sides.
        """
        terms: list[str] = []
        for part, weight in self.on.items():
            name = f"{desk.tag}_{part}_loss"
            op = KnownLoss(anywhere=part == POINTS3D)
            term = desk.build.add(op, f"{output}.{part}", f"{target}.{part}", name=name, origin=desk.origin)
            if weight != 1.0:
                term = desk.build.add(Weighted(weight), term, name=f"{name}_weighted", origin=desk.origin)
            terms.append(term)
        if len(terms) == 1:
            return terms[0]
        return desk.build.add(Add(), *terms, name=f"{desk.tag}_loss", origin=desk.origin)
