"""`lvmc import-weights`: a VGG's state dict, in torchvision's layout, as the weights of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.opening import FolderOrSpec, Seed
from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lvmc.runtime.torchvision import Mapped

Source = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A state dict of VGG-16 or 19, .safetensors or .pth.", show_default=False),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="W.safetensors", help="File to write.", show_default=False)]


def import_weights(model: FolderOrSpec, file: Source, out: Out, seed: Seed = 0, as_json: AsJson = False) -> None:
    """Map torchvision's VGG weights, with or without batch norm, onto a spec, and say what mapped.

    The file written holds every weight of the model: what the state dict has not stays as it was first drawn, or as the
    folder has it. `lvmc run --weights` and a layer's `init` take it.
    """
    from safetensors.torch import save

    from lvmc.cli.files import check_writable, write_file
    from lvmc.cli.opening import open_model
    from lvmc.cli.output import print_json
    from lvmc.runtime.module import compiled_of
    from lvmc.runtime.state_dicts import read_state_dict
    from lvmc.runtime.torchvision import from_torchvision

    check_writable(out)
    weights = read_state_dict(file)
    net, _ = open_model(model, seed, "eager")
    try:
        mapped = from_torchvision(compiled_of(net).graph, weights)
    except ValueError as error:
        raise ValueError(f"{file} does not fit {model}: {error}") from error
    state = {name: value.detach().contiguous() for name, value in net.state_dict().items()}
    fresh = {name: value.to(state[name].dtype).contiguous() for name, value in mapped.state.items()}
    write_file(out, save(state | fresh))
    turned = _turned(mapped, weights)
    if as_json:
        print_json(
            {
                "path": str(out),
                "mapped": dict(mapped.names),
                "turned": turned,
                "folded": list(mapped.folded),
                "unused": list(mapped.unused),
                "kept": list(mapped.missing),
            }
        )
    else:
        _show(mapped, weights, turned, out)


def _turned(mapped: Mapped, weights: Mapping[str, Tensor]) -> dict[str, int]:
    """By layer, how many channels were negated, as their batch norm's scale is."""
    scales = {name: weights[source] for name, source in mapped.names.items() if name.endswith(".norm.weight")}
    counts = {name.removesuffix(".norm.weight"): int((scale < 0).sum()) for name, scale in scales.items()}
    return {layer: count for layer, count in counts.items() if count}


def _show(mapped: Mapped, weights: Mapping[str, Tensor], turned: Mapping[str, int], out: Path) -> None:
    from lvmc.cli.output import console, table

    rows: list[tuple[str, str, str, str]] = []
    for name, source in mapped.names.items():
        before, after = (_shape(value) for value in (weights[source], mapped.state[name]))
        layer = name.partition(".")[0]
        note = f"{turned[layer]} channels negated: γ < 0" if layer in turned and name == f"{layer}.norm.weight" else ""
        rows.append((name, source, after, note or (f"from {before}" if before != after else "")))
    columns = ("weight", "from", "shape", "")
    screen = console()
    screen.print(table(columns, rows, left=columns))
    if mapped.folded:
        screen.print(
            f"\nBatch norms folded into {', '.join(mapped.folded)}, which have no norm: drive.", soft_wrap=True
        )
    screen.print(f"\n{len(rows)} mapped. Unused: {', '.join(mapped.unused) or 'nothing'}.", soft_wrap=True)
    if mapped.missing:
        screen.print(f"Left as they were: {', '.join(mapped.missing)}.", soft_wrap=True)
    screen.print(f"{out} written.", soft_wrap=True)


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape))
