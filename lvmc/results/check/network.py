"""The picture of a witness: layers from bottom to top, and what they give each other along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lvmc.diagnostics.answers import Check, Excitation
from lvmc.results.check.numbers import figure, listed, percent
from lvmc.results.check.witness import channel_shares

WIDTH, LEFT, BOX, HIGH = 720.0, 110.0, 220.0, 32.0
RIGHT = LEFT + BOX
THINNEST, THICKEST = 1.5, 12.0
LABEL = (58.0, 18.0)
"""What a number takes, for those beside each other not to meet."""


@dataclass(frozen=True, slots=True)
class Node:
    """A layer's box, in points; `filled` is the width of its part that shows the layer's share of zᵀDz."""

    name: str
    share: str
    top: float
    filled: float


@dataclass(frozen=True, slots=True)
class Link:
    """A coupling: an SVG path, how thick, where its energy is written (and how it is anchored there).

    A bow has its `ends`, from where it goes out to the right by `reach`.
    """

    path: str
    width: float
    excites: bool
    energy: str
    said: str
    x: float
    y: float
    anchor: str = "start"
    reach: float = 0.0
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Boxes and links, the size of the picture, and what it shows in words."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    height: float
    alt: str
    width: float = WIDTH
    left: float = LEFT
    box: float = BOX
    high: float = HIGH


def network(check: Check) -> Network | None:
    """The picture of a check's witness; None without one, or without what its layers give each other."""
    shares = {layer: float(parts.sum()) for layer, parts in channel_shares(check).items()}
    if not shares or not check.excitations:
        return None
    pitch = 72.0 if len(shares) <= 8 else 52.0
    tops = {layer: 8 + pitch * row for row, layer in enumerate(reversed(shares))}
    nodes = tuple(Node(layer, percent(share), tops[layer], BOX * share) for layer, share in shares.items())
    shown = [each for each in check.excitations if each.upper in tops and each.lower in tops and each.energy]
    largest = max((abs(each.energy) for each in shown), default=1.0)
    links: list[Link] = []
    for each in sorted(shown, key=partial(_span, tops)):
        links.append(_link(each, tops, pitch, abs(each.energy) / largest, links))
    return Network(nodes, tuple(links), 16 + pitch * (len(shares) - 1) + HIGH, _alt(shares, shown))


def _link(each: Excitation, tops: Mapping[str, float], pitch: float, part: float, beside: Sequence[Link]) -> Link:
    """A loop at the left within a layer, a line between neighbours, a bow at the right between others."""
    width = THINNEST + (THICKEST - THINNEST) * part
    excites = each.energy > 0
    energy = ("+" if excites else "") + figure(each.energy)
    verb = "excite" if excites else "inhibit"
    made = partial(Link, width=width, excites=excites, energy=energy)
    if each.upper == each.lower:
        middle = tops[each.upper] + HIGH / 2
        bend = f"C{LEFT - 60:g} {middle - 24:g} {LEFT - 60:g} {middle + 24:g}"
        path = f"M{LEFT:g} {middle - 9:g} {bend} {LEFT:g} {middle + 9:g}"
        said = f"units of {each.upper} {verb} one another: {energy}"
        return made(path, said=said, x=LEFT - 53, y=middle + 4, anchor="end")
    said = f"{each.upper} and {each.lower} {verb} each other: {energy}"
    above, below = sorted((tops[each.upper], tops[each.lower]))
    if round((below - above) / pitch) == 1:
        centre = LEFT + BOX / 2
        path = f"M{centre:g} {above + HIGH:g} V{below:g}"
        return made(path, said=said, x=centre + THICKEST, y=(above + HIGH + below) / 2 + 4)
    start, end = above + HIGH / 2, below + HIGH / 2
    reach = _reach(start, end, beside)
    path = f"M{RIGHT:g} {start:g} C{RIGHT + reach:g} {start:g} {RIGHT + reach:g} {end:g} {RIGHT:g} {end:g}"
    return made(path, said=said, x=_apex(reach), y=(start + end) / 2 + 4, reach=reach, ends=(start, end))


def _reach(start: float, end: float, beside: Sequence[Link]) -> float:
    """How far a bow goes out so that it lies on none that is there, and its number on no other number."""
    wide, high = LABEL
    y = (start + end) / 2 + 4
    bows = [link for link in beside if link.ends is not None]
    alike = {link.reach for link in bows if link.ends and link.ends[0] < end and start < link.ends[1]}
    taken = [link.x for link in bows if abs(link.y - y) < high]
    steps = [56.0 + 56.0 * step for step in range(7)]
    free = [each for each in steps if each not in alike and all(abs(_apex(each) - x) >= wide for x in taken)]
    return (free or steps[-1:])[0]


def _apex(reach: float) -> float:
    """Where the number of a bow stands: beside its furthest point."""
    return RIGHT + 0.75 * reach + THICKEST / 2 + 2


def _span(tops: Mapping[str, float], each: Excitation) -> float:
    return abs(tops[each.upper] - tops[each.lower])


def _alt(shares: dict[str, float], shown: Sequence[Excitation]) -> str:
    layers = ", ".join(f"{layer} {percent(share)}" for layer, share in shares.items())
    start = f"Layers by their share of the witness: {layers}."
    strongest = max(shown, key=_strength, default=None)
    if strongest is None:
        return f"{start} They give each other nothing."
    ends = listed(sorted({strongest.upper, strongest.lower}))
    return f"{start} The strongest coupling is that of {ends}: {figure(strongest.energy)}."


def _strength(each: Excitation) -> float:
    return abs(each.energy)
