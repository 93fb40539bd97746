"""Mistakes of `train` that only show beside the rest of the spec: names of heads, layers and parameters, points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lvmc.graph.findings import Findings
from lvmc.graph.records import EnergyGraph
from lvmc.graph.train_step_checks import check_steps
from lvmc.graph.value_checks import check_values
from lvmc.heads.density import Density
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.vector import Vector
from lvmc.records import nearest, shown
from lvmc.spec import Spec, Train
from lvmc.spec.data import Coco, CocoFiles, Masks, Npz
from lvmc.spec.inputs import Input
from lvmc.spec.train import Stage
from lvmc.values import Path

_DATA: Path = ("train", "data")
_LABELS = ("classes", "segmentation")


def check_train(spec: Spec, findings: Findings) -> None:
    """What `train` says fits the heads, the inference, and its own parts."""
    train = spec.train
    if train is None:
        return
    _check_model(spec, findings)
    _check_targets(spec, train, findings)
    _check_watch(spec, train, findings)
    if train.stages and "epochs" in train.model_fields_set:
        fault = "each stage has its own epochs, so 'epochs' cannot be given too"
        findings.add(("train", "epochs"), fault, "keep one of the two", on_key=True, needs=(("train", "stages"),))
    for number, stage in enumerate(train.stages):
        _check_reads(spec, number, stage, findings)
        _check_passes(spec, number, stage, findings)
    check_steps(spec, train, findings)
    _check_points(spec, train, findings)
    check_values(spec, train, findings)
    _check_shares(train, findings)


def check_rates(spec: Spec, graph: EnergyGraph, findings: Findings) -> None:
    """`rates` name parameters, or what their names begin with."""
    names = [variable.name for variable in graph.parameters if variable.kind == "parameter"]
    known = dict.fromkeys(begin for name in names for begin in _beginnings(name))
    for name in spec.train.rates if spec.train else ():
        if name not in known:
            remedy = nearest(name, known)
            findings.add(("train", "rates", name), f"no parameter is called '{name}'", remedy, on_key=True)


def _beginnings(name: str) -> Iterator[str]:
    """h1.weight → h1, h1.weight."""
    words = name.split(".")
    for end in range(1, len(words) + 1):
        if words[:end] != ["heads"]:
            yield ".".join(words[:end])


def _check_model(spec: Spec, findings: Findings) -> None:
    if not spec.heads:
        remedy = "add a head, for example heads: {label: {kind: classes, outputs: 10, reads: h1}}"
        findings.add(("train",), "there is no head to train", remedy, on_key=True, needs=(("heads",),))
    plain = [each for each in spec.inputs.values() if isinstance(each, Input)]
    if len(plain) != 1:
        many = f"this spec has {len(plain)}" if plain else "this spec has none"
        fault = f"training feeds one input, and {many}"
        findings.add(("train",), fault, "leave 'train' out, or keep one input", on_key=True, needs=(("inputs",),))


def _check_targets(spec: Spec, train: Train, findings: Findings) -> None:
    for name, target in train.targets.items():
        path = ("train", "targets", name)
        if not _is_head(spec, path, name, findings):
            continue
        kind = getattr(spec.heads[name], "kind", "")
        if kind in _LABELS:
            fault = f"'{name}' is a {kind} head, whose targets are labels as they are"
            findings.add(path, fault, f"leave '{name}' out", on_key=True, needs=(("heads", name),))
        if {"pixels", "radius"} <= target.model_fields_set and target.pixels is not None:
            fault = "'pixels' is the radius, so 'radius' cannot be given too"
            findings.add((*path, "radius"), fault, "keep one of the two", on_key=True)


def _check_watch(spec: Spec, train: Train, findings: Findings) -> None:
    path, watch = ("train", "evaluate", "watch"), train.evaluate.watch
    head, slash, metric = watch.partition("/")
    if watch == "loss":
        return
    if not slash or not metric or "/" in metric:
        remedy = "write loss, or a head and a metric, for example keypoints/nme"
        findings.add(path, f"'watch' should be loss or a metric of a head, not {shown(watch)}", remedy)
    else:
        points = [name for name, state in spec.state.items() if state.points]
        _is_head(spec, path, head, findings, on_key=False, also=points)


def _is_head(
    spec: Spec, path: Path, name: str, findings: Findings, on_key: bool = True, also: Sequence[str] = ()
) -> bool:
    """Whether there is such a head; `also` are other names that will do."""
    known = name in (*spec.heads, *also) or findings.doubts(("heads", name)) or findings.doubts(("state", name))
    if not known and not findings.lost("heads"):
        findings.add(path, f"no head is named '{name}'", nearest(name, (*spec.heads, *also)), on_key=on_key)
    return name in spec.heads


def _check_reads(spec: Spec, number: int, stage: Stage, findings: Findings) -> None:
    """A stage reads some of the layers that a head reads."""
    for name, layers in (stage.reads or {}).items():
        path = ("train", "stages", number, "reads", name)
        if not _is_head(spec, path, name, findings):
            continue
        read, needs = list(spec.heads[name].reads), (("heads", name, "reads"),)
        for layer in layers:
            if layer not in read:
                fault = f"'{name}' does not read '{layer}'"
                findings.add((*path, layer), fault, nearest(layer, read), needs=needs)
        if not layers:
            fault = f"'{name}' would read nothing in stage {number + 1}"
            findings.add(path, fault, f"name some of the layers that it reads: {', '.join(read)}")
        if len(set(layers)) < len(layers):
            findings.add(path, f"'{name}' reads a layer twice in stage {number + 1}", "name each layer once")


def _check_passes(spec: Spec, number: int, stage: Stage, findings: Findings) -> None:
    """Other passes are possible, and leave every head something to read."""
    path, inference = ("train", "stages", number, "passes"), spec.inference
    if stage.passes is None:
        return
    for name, layer in spec.layers.items():
        if layer.norm is not None and layer.norm.kind == "message":
            fault = f"'norm: message' of '{name}' has a norm for every pass, so the passes of a stage cannot differ"
            needs = (("layers", name, "norm"),)
            findings.add(path, fault, "leave 'passes' out, or write norm: drive", on_key=True, needs=needs)
            return
    for key, given in (("tying", inference.tying == "untied"), ("until", inference.until is not None)):
        if given:
            why = "until" if key == "until" else "tying: untied"
            fault = f"with '{why}' the passes of a stage cannot differ"
            remedy = f"leave 'passes' or '{why}' out"
            findings.add(path, fault, remedy, on_key=True, needs=(("inference", key),))
            return
    for name, head in spec.heads.items():
        if isinstance(head.at, int) and head.at > stage.passes:
            fault = f"'{name}' reads after pass {head.at}, but stage {number + 1} runs {stage.passes}"
            remedy = f"write passes: {head.at} or more"
            findings.add(path, fault, remedy, needs=(("heads", name, "at"),))


def _check_points(spec: Spec, train: Train, findings: Findings) -> None:
    """Point numbers of the data are those of the heads, and mirror images are known."""
    data, count = train.data, _point_counts(spec, train, findings)
    if not isinstance(data, Npz | Coco):
        return
    points = data.points if isinstance(data, Npz) else None
    if points is not None and len(set(points)) < len(points):
        findings.add((*_DATA, "points"), "a point is named twice", "name each point once")
    flip = data.flip if isinstance(data, Npz) and isinstance(data.flip, tuple) else None
    if flip is not None and sorted(flip) != list(range(len(flip))):
        fault = f"'flip' is not a permutation of 0 to {len(flip) - 1}"
        findings.add((*_DATA, "flip"), fault, "name the mirror image of each point, every point once")
    for name, many in count.items():
        needs = tuple(("heads", name, key) for key in ("channels", "outputs", "dims", "points"))
        for key, several in (("points", points), ("flip", flip)):
            if several is not None and len(several) != many:
                fault = f"'{key}' has {len(several)} entries for the {many} points of '{name}'"
                findings.add((*_DATA, key), fault, "write one entry a point", needs=needs)
        if isinstance(data.unit, tuple) and max(data.unit) >= many:
            fault = f"there is no point {max(data.unit)}: '{name}' has {many}"
            findings.add((*_DATA, "unit"), fault, f"points count from 0 to {many - 1}", needs=needs)
    if count:
        _check_mirrored(spec, train, flip, findings)


def _point_counts(spec: Spec, train: Train, findings: Findings) -> dict[str, int]:
    """How many points each head learns: a heatmap a channel, and numbers are pairs, unless they are values."""
    count: dict[str, int] = {}
    for name, head in spec.heads.items():
        match head:
            case Heatmap():
                count[name] = head.channels
            case Vector() | Density() if not train.learns_values:
                key, numbers = ("outputs", head.outputs) if isinstance(head, Vector) else ("dims", head.dims)
                count[name] = numbers // 2
                if numbers % 2:
                    fault = f"'{name}' gives {numbers} number{'s' * (numbers > 1)}, but learns points: two numbers each"
                    named = ", or name an array of numbers: data: {…, values: NAME}"
                    remedy = f"write {numbers + 1}, or another even number{named * isinstance(train.data, Npz)}"
                    findings.add(("heads", name, key), fault, remedy)
            case _:
                pass
    return count


def _check_mirrored(spec: Spec, train: Train, flip: tuple[int, ...] | None, findings: Findings) -> None:
    """Which points change places in a mirrored picture is said, once; arrays do not say it."""
    known = [head.points.flip for head in spec.heads.values() if isinstance(head, Heatmap) and head.points]
    said = [each for each in known if each is not None]
    differing = next((each for each in said if flip is not None and each != flip), None)
    if differing is not None:
        needs = (("heads",),)
        fault = f"'flip' is another one than that of the heads, {shown(differing)}"
        findings.add((*_DATA, "flip"), fault, "give it once", needs=needs)
    if isinstance(train.data, Npz) and train.augment.flip and train.data.flip is None and not said:
        fault = "pictures would be mirrored (augment.flip), and nothing says which points change places then"
        remedy = "write data: {…, flip: [1, 0, …]} with the mirror image of each point, or augment: {flip: 0}"
        needs = (_DATA, ("train", "augment"), ("heads",))
        findings.add(_DATA, fault, remedy, on_key=True, needs=needs)


def _check_shares(train: Train, findings: Findings) -> None:
    """Something is left to learn from."""
    data = train.data
    if not isinstance(data, Npz | Coco | Masks):
        return
    parts = {"validation": data.validation} | ({} if isinstance(data, Npz) else {"test": data.test})
    shares = {key: part for key, part in parts.items() if not isinstance(part, CocoFiles | str)}
    if sum(shares.values()) >= 1:
        key = list(shares)[-1]
        fault = f"{' and '.join(shares)} leave no picture to learn from"
        needs = tuple((*_DATA, each) for each in parts)
        findings.add((*_DATA, key), fault, "write smaller shares, for example 0.1", needs=needs)
