"""What a lifting head reads: a heatmap head above it in the spec, which reads at the same passes."""

from __future__ import annotations

from lvmc.graph.findings import Findings
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import Lift
from lvmc.records import nearest
from lvmc.spec import Spec


def check_landmarks(name: str, record: Lift, spec: Spec, findings: Findings) -> Heatmap | None:
    """The head that a lifting head reads; None where there is none that it could."""
    path, source = ("heads", name, "landmarks"), record.landmarks
    before = list(spec.heads)[: list(spec.heads).index(name)]
    maps = [each for each in before if isinstance(spec.heads[each], Heatmap)]
    found = spec.heads.get(source)
    if findings.doubts(("heads", source)):
        return None
    if not isinstance(found, Heatmap):
        what = (
            f"'{source}' gives no maps of points" if found or source in spec.layers else f"no head is named '{source}'"
        )
        remedy = nearest(source, maps) if maps else "add a head of kind heatmap above it"
        findings.add(path, what, remedy)
        return None
    if source not in before:
        findings.add(path, f"'{source}' comes after '{name}', which reads it", f"move '{source}' above '{name}'")
        return None
    if found.at not in ("each", record.at):
        fault = f"'{name}' reads at {record.at}, but its landmarks '{source}' only at {found.at}"
        needs = (("heads", source, "at"),)
        findings.add(("heads", name, "at"), fault, f"write at: {found.at}, or at: each for '{source}'", needs=needs)
    return found
