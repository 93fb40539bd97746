"""The passes with a probe after every update: S, the mean-field objective, the residual, and the step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lvmc.graph import EnergyGraph
from lvmc.graph.energy import add_score
from lvmc.graph.terms import norm_diagonal
from lvmc.ir import Origin, Program
from lvmc.ir.ops import Largest, LargestChange, RunningMoments
from lvmc.rewrites import rewrite
from lvmc.rewrites.dead_code import dead_code
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.schedule import Update
from lvmc.unroll import Clamp, Unroller

_ORIGIN = Origin("probe", 0, "score")


@dataclass(frozen=True, slots=True)
class Probed:
    """A program whose outputs are `<quantity>_<n>` after n updates, and the updates, first to last.

    Quantities are `score`, `objective` and `residual` (n from 0; absent without a single energy), `step`
    (n from 1): largest |z new − z old|, and `state` (n from 1): the layer just updated. Besides, `<layer>@0` is a
    layer before the first update, and `<entry>@end` an entry of the state after the last (`Unroller.entries`).
    """

    program: Program
    updates: tuple[Update, ...]


def probe(graph: EnergyGraph, passes: int | None = None, clamp: Clamp | None = None, start: bool = False) -> Probed:
    """Unroll as `unroll` does, and measure every state on the way, with the running statistics of norms."""
    unroller = Unroller(graph, graph.passes if passes is None else passes, dict(clamp or {}), start)
    variables = unroller.begin()
    outputs = _measure(unroller, 0)
    outputs += [(f"{layer.name}@0", unroller.state[layer.name]) for layer in graph.layers]
    updates = tuple(update for update in unroller.updates() if unroller.clamp.get(update.layer) != "all")
    for number, update in enumerate(updates, start=1):
        old = unroller.state[update.layer]
        new = unroller.state[update.layer] = unroller.update(update)
        step = unroller.build.add(LargestChange(), new, old, name=f"step_{number}", origin=_ORIGIN)
        outputs += [(f"state_{number}", new), (f"step_{number}", step), *_measure(unroller, number)]
    outputs += [(f"{entry}@end", value) for entry, value in unroller.entries().items()]
    program = Program(f"{graph.name}.probe", variables, graph.planes, unroller.build.equations(), tuple(outputs))
    return Probed(rewrite(program, (share_equal_values, dead_code)), updates)


def _measure(unroller: Unroller, number: int) -> list[tuple[str, str]]:
    """S, objective and residual of the present state."""
    if unroller.graph.why_no_energy:
        return []
    score, objective = add_score(unroller.build, unroller.graph, unroller.state)
    outputs = [(f"score_{number}", score), (f"objective_{number}", objective)]
    changes = _changes(unroller)
    if changes:
        residual = unroller.build.add(Largest(), *changes, name="residual", origin=_ORIGIN)
        outputs.append((f"residual_{number}", residual))
    return outputs


def _changes(unroller: Unroller) -> list[str]:
    """Largest |z − update(z)| of each layer, were it updated now."""
    aside = replace(unroller)
    aside.build, aside.state = unroller.build, dict(unroller.state)
    aside.winners, aside.diagonals = dict(unroller.winners), dict(unroller.diagonals)
    aside.laterals = unroller.laterals
    changes: list[str] = []
    for update in aside.updates()[: len(aside.graph.layers)]:
        layer = aside.graph.layer[update.layer]
        if aside.clamp.get(layer.name) == "all":
            continue
        if layer.norm is not None:
            running = (f"{layer.name}.norm.running_mean", f"{layer.name}.norm.running_var")
            moments = aside.build.add(RunningMoments(), *running, name=f"{layer.name}_running", origin=_ORIGIN)
            aside.diagonals[layer.name] = norm_diagonal(aside.build, layer, moments, _ORIGIN)
        wanted = aside.update(update)
        changes.append(
            aside.build.add(
                LargestChange(), aside.state[layer.name], wanted, name=f"{layer.name}_change", origin=_ORIGIN
            )
        )
    return changes
