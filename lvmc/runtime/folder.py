"""A compiled model on disk: the emitted file, its spec and options, and weights if there are any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvmc.assemble import Options
from lvmc.heads.lift import Lift
from lvmc.loading import resolve
from lvmc.runtime.initial import take_bases
from lvmc.runtime.module import Compiled, build_module
from lvmc.spec import Spec, dump

if TYPE_CHECKING:
    from lvmc.runtime.backends import Backend
    from lvmc.runtime.module import Model

BUILD = "build.json"
WEIGHTS = "weights.safetensors"


def folder_files(compiled: Compiled) -> dict[str, str]:
    """Texts that a compiled folder holds, by file name; its spec names the files of `folder_bases`."""
    options = compiled.options
    build: dict[str, Any] = {
        "name": compiled.graph.name,
        "class": compiled.class_name,
        "optimize": options.optimize,
        "passes": options.passes,
        "clamp": dict(options.clamp),
        "start": options.start,
        "seed": options.seed,
        "memory": options.memory,
    }
    name = compiled.graph.name
    return {
        f"{name}.py": compiled.source,
        "spec.yaml": dump(_with_own_bases(compiled.spec)),
        BUILD: json.dumps(build, indent=2) + "\n",
    }


def folder_bases(compiled: Compiled) -> dict[str, bytes]:
    """The bases of lifting heads, as their files are, by their names in a compiled folder."""
    heads = {name: head for name, head in compiled.spec.heads.items() if isinstance(head, Lift)}
    return {_basis_name(name): Path(head.basis).read_bytes() for name, head in heads.items()}


def _with_own_bases(spec: Spec) -> Spec:
    heads = {
        name: head.model_copy(update={"basis": _basis_name(name)}) if isinstance(head, Lift) else head
        for name, head in spec.heads.items()
    }
    return spec.model_copy(update={"heads": heads}) if heads else spec


def _basis_name(head: str) -> str:
    return f"{head}_basis.npz"


def open_folder(folder: Path, backend: Backend | None = None) -> Model:
    """The model of a compiled folder, from the emitted file as it stands there.

    The folder says nothing about backends: which one is right depends on the machine that opens it.

    Raises:
        FileNotFoundError: The folder is not a compiled one.
    """
    if not (folder / BUILD).is_file():
        raise FileNotFoundError(
            f"{folder} is not a compiled folder: it has no {BUILD}; `lvmc compile SPEC -o {folder}` makes one"
        )
    build = json.loads((folder / BUILD).read_text(encoding="utf-8"))
    spec, graph = resolve(folder / "spec.yaml")
    memory = build.get("memory")  # folders of earlier versions do not say
    options = Options(build["optimize"], build["passes"], build["clamp"], build["start"], build["seed"], memory)
    source = (folder / f"{build['name']}.py").read_text(encoding="utf-8")
    model = build_module(Compiled(spec, graph, options, source, build["class"]), backend)
    take_bases(model, graph)
    if (folder / WEIGHTS).is_file():
        from safetensors.torch import load

        model.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    return model
