"""The unrolled picture of a graph as it is compiled: a loop of many passes is drawn once."""

from __future__ import annotations

from dataclasses import replace

from lvmc.assemble import Options, programs
from lvmc.diagrams.drawing.picture import Picture
from lvmc.diagrams.unrolled_view.repeat import Repeat, rounds
from lvmc.diagrams.unrolled_view.steps import one_step, with_steps
from lvmc.diagrams.unrolled_view.unrolled import unrolled
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.parts import until_text
from lvmc.rewrites import rewrite
from lvmc.roll import SHORTEST
from lvmc.unroll import unroll


def net(graph: EnergyGraph, options: Options, fold: bool = False) -> Picture:
    """Layers by passes, as `unrolled` draws them; of a long loop the first pass, one round, and what follows it.

    Of outer feedback one step, in a frame that says how many there are, with the way back to the inputs.
    """
    if graph.feedback is not None:
        return with_steps(net(one_step(graph), options, fold), graph)
    program, repeat = shortened(graph, options)
    return unrolled(graph, program, fold, repeat)


def shortened(graph: EnergyGraph, options: Options) -> tuple[Program, Repeat | None]:
    """A program with few passes in place of the many that are run, and which of them repeat; None: all are there."""
    passes = options.passes or graph.passes
    heads = set(graph.outputs) or set(graph.layer)
    few = 4 - passes % 2
    repeat = rounds((passes - few) // 2 + 1)
    if not options.optimize and passes >= SHORTEST and graph.repeats:
        return _of(graph, options, few, heads), repeat
    made = programs(graph, options)
    everything = heads | set(graph.layer)
    if made.settling is not None and made.settling.until.residual > 0:
        last = min(3, passes)
        repeat = Repeat(last, None, until_text(made.settling.until).replace(", ", ",\n"))
        return _of(graph, options, last, everything), repeat if last > 1 else None
    if made.settling is not None:
        many = passes >= SHORTEST
        return _of(graph, options, few if many else passes, everything), repeat if many else None
    if made.loop is not None:
        few = passes - 2 * (made.loop.rounds - 1)
        return _of(graph, options, few, heads), rounds(made.loop.rounds)
    if passes >= SHORTEST and graph.repeats:  # passes after the first change nothing
        return _of(graph, options, few, heads), repeat
    return made.forward, None


def _of(graph: EnergyGraph, options: Options, passes: int, keys: set[str]) -> Program:
    """The program of some passes that gives these heads and layers."""
    program = unroll(graph, passes, options.clamp, options.start)
    program = replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in keys))
    return tidy(rewrite(program)) if options.optimize else program
