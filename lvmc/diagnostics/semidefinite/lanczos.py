"""Whether A is positive semidefinite, from the largest eigenvalue of D^-½ C D^-½ by Lanczos: likely, or refuted."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.rays.ray import witness_at
from lvmc.diagnostics.semidefinite.flat import Flat, precision_for, unscaled
from lvmc.diagnostics.semidefinite.krylov import Krylov, sphere
from lvmc.graph.form import Array, Form
from lvmc.verdicts import Certificate

STAGE = "Lanczos"
CHANCE = 1e-6
STEPS_SMALL, STEPS_LARGE = 200, 160
MEMORY = 6e9
"""Bytes that the basis may take."""
CLOSE = 0.005
"""Relative width of the bounds on the largest eigenvalue below which more steps are not worth their time."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """Bounds on the largest eigenvalue: a Ritz value, and what it exceeds with a chance of `chance` only.

    `bound` includes `rounding`; the start is `krylov.sphere(n, seed)`. The chance takes the rounding of float32
    products for independent of the start.
    """

    largest: float
    bound: float
    rounding: float
    steps: int
    seed: int
    chance: float

    @property
    def facts(self) -> dict[str, float | int | str]:
        """What a certificate says of it."""
        return {
            "largest": self.largest, "bound": self.bound, "rounding": self.rounding, "steps": self.steps,
            "seed": self.seed,
        }  # fmt: skip


def lanczos(form: Form, budget: Budget, steps: int | None = None, seed: int = 0, chance: float = CHANCE) -> Bound:
    """Bounds on the least zᵀAz/zᵀDz over all of ℝⁿ, whatever the groups and signs of units.

    Stops as soon as A is positive semidefinite but for `chance`; otherwise when the bounds are close.

    Args:
        form: A = D − C.
        budget: Time; at least three steps are done.
        steps: Most products with C; by default 200 up to 200,000 units, 160 beyond.
        seed: Of the start.
        chance: Largest probability that `lower` is wrong.

    Returns:
        `lower` with a certificate of kind "lanczos"; `upper`, with a witness that refutes "psd", where it is below 0.
    """
    begun = monotonic()
    krylov, extreme = extreme_of(Flat(form), budget, steps, seed, chance, until=1.0)
    proof = Certificate("psd", "lanczos", 1 - extreme.bound, {}, extreme.facts, chance)
    witness = None
    if extreme.largest > 1:
        witness = witness_at(form, unscaled(form, _array(krylov)), "psd")
    upper = inf if witness is None else witness.value + witness.error
    late = ", stopped by the clock" if budget.left == 0 else ""
    remark = f"λ in [{extreme.largest:.5g}, {extreme.bound:.5g}] after {extreme.steps} steps{late}, but for {chance:g}"
    return Bound(STAGE, 1 - extreme.bound, upper, proof, witness, monotonic() - begun, remark)


def extreme_of(
    flat: Flat,
    budget: Budget,
    steps: int | None,
    seed: int,
    chance: float,
    until: float,
    stage: str = STAGE,
    close: float = CLOSE,
) -> tuple[Krylov, Extreme]:
    """The largest eigenvalue of an operator, until it is below `until` but for `chance`, or known closely."""
    import torch

    form, dtype = flat.form, flat.field.dtype
    most = _most(form, steps)
    krylov = Krylov(flat, torch.as_tensor(sphere(form.units, seed), dtype=dtype), most)
    bound = inf
    while not krylov.done:
        krylov.step()
        budget.tell(stage, krylov.steps / most)
        if krylov.steps % 5 and not krylov.done:
            continue
        largest, bound = krylov.largest(), krylov.bound(chance)
        if bound < until - 1e-6 or (bound - largest < close * abs(bound) and not largest <= until <= bound):
            break
        if budget.left == 0:
            break
    rounding = krylov.rounding(flat if dtype == torch.float64 else Flat(form, flat.groups, "float64"))
    extreme = Extreme(krylov.largest(), krylov.bound(chance) + rounding, rounding, krylov.steps, seed, chance)
    return krylov, extreme


def top_vector(form: Form, steps: int, seed: int) -> dict[str, Array]:
    """The Ritz vector of the largest eigenvalue after a few steps, unscaled, by layer."""
    import torch

    flat = Flat(form)
    krylov = Krylov(flat, torch.as_tensor(sphere(form.units, seed), dtype=flat.field.dtype), steps)
    while not krylov.done:
        krylov.step()
    return unscaled(form, _array(krylov))


def _most(form: Form, steps: int | None) -> int:
    size = 8 if precision_for(form) == "float64" else 4
    wanted = steps or (STEPS_SMALL if size == 8 else STEPS_LARGE)
    return max(3, min(wanted, int(MEMORY / (size * form.units)) - 1))


def _array(krylov: Krylov) -> Array:
    return krylov.top(1)[0].double().numpy()
