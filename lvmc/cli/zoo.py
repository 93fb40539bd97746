"""`lvmc zoo`: the models that come along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    from lvmc.graph import EnergyGraph


def zoo(as_json: AsJson = False) -> None:
    """List the zoo: specs to compile by name, to draw, and to copy from."""
    from lvmc import specs
    from lvmc.cli.output import console, count, print_json, table
    from lvmc.costs import parameters
    from lvmc.loading import resolve

    graphs = [resolve(name)[1] for name in specs.names()]
    if as_json:
        print_json(
            [
                {
                    "name": graph.name,
                    "path": str(specs.path(graph.name)),
                    "layers": len(graph.layers),
                    "parameters": parameters(graph),
                    "passes": graph.passes,
                    "until": graph.until.model_dump() if graph.until else None,
                    "heads": [head.name for head in graph.heads],
                    "description": graph.description,
                }
                for graph in graphs
            ]
        )
        return
    rows = [(g.name, str(len(g.layers)), count(parameters(g)), _passes(g), g.description) for g in graphs]
    console().print(table(("name", "layers", "parameters", "passes", "what it is"), rows, left=("name", "what it is")))


def _passes(graph: EnergyGraph) -> str:
    """`2`; `≤ 200` where passes end by themselves."""
    return f"≤ {graph.passes}" if graph.until else str(graph.passes)
