"""What emitted density heads hand out, for type checkers: emitted files carry the class itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Generator, Tensor

Lengths = list[float] | float


class Integrals(NamedTuple):
    """log Z (batch,), mean and variance of y (batch, dims), and how far each may be off."""

    log_normaliser: Tensor
    mean: Tensor
    variance: Tensor
    log_normaliser_error: Tensor
    mean_error: Tensor
    variance_error: Tensor


class Density(Protocol):
    """p(y | x) ∝ exp f(x, y) for every sample of a batch; candidates y are (batch, n, dims)."""

    mean: Tensor | None

    def value(self, y: Tensor) -> Tensor:
        """f(x, y), (batch, n)."""
        ...

    def slope(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """f(x, y) and its gradient in y, (batch, n) and (batch, n, dims)."""
        ...

    def refine(
        self, y: Tensor, steps: int | None = None, step: Lengths | None = None, decay: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """Algorithm 1 on every candidate at once: y and f(x, y) after so many steps."""
        ...

    def best(
        self,
        seeds: Tensor,
        top: int = 1,
        steps: int | None = None,
        step: Lengths | None = None,
        decay: float | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The `top` best of the seeds, refined: the best y (batch, dims), and its f (batch,)."""
        ...

    def integrals(self, low: Lengths, high: Lengths, points: int = 201) -> Integrals:
        """By the trapezoid rule on a box."""
        ...

    def grid(self, low: Lengths, high: Lengths, points: int = 201) -> tuple[tuple[Tensor, ...], Tensor]:
        """The points along each axis of a box, and p(y | x) at all of them, (batch, points, …)."""
        ...

    def heatmap(self, height: int, width: int) -> tuple[Integrals, Tensor]:
        """Of a point in a picture: by sums over its pixels, and the probability of each, (batch, height, width)."""
        ...

    def sampled_integrals(
        self,
        centre: Tensor,
        samples: int | None = None,
        sigmas: list[list[float]] | None = None,
        generator: Generator | None = None,
    ) -> Integrals:
        """By importance sampling from proposals around `centre` (batch, dims)."""
        ...
