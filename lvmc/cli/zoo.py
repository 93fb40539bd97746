"""`lvmc zoo`: the models that come along."""

from __future__ import annotations

from lvmc.cli.options import AsJson


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
                    "heads": [head.name for head in graph.heads],
                    "description": graph.description,
                }
                for graph in graphs
            ]
        )
        return
    rows = [(g.name, str(len(g.layers)), count(parameters(g)), str(g.passes), g.description) for g in graphs]
    console().print(table(("name", "layers", "parameters", "passes", "what it is"), rows, left=("name", "what it is")))
