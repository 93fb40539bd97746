"""What a check of a net answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lvmc.graph.form import Form
from lvmc.verdicts import Answer, Array, Certificate, Verdict, Witness

if TYPE_CHECKING:
    from lvmc.diagnostics.outer import OuterLoop
    from lvmc.diagnostics.passes.convergence import Convergence
    from lvmc.diagnostics.passes.trace import Trace


@dataclass(frozen=True)
class Bound:
    """What one stage found on the least zᵀAz/zᵀDz over the cone K.

    Attributes:
        stage: The stage's name, as a reader is told.
        lower: Least value proved; −∞ where the stage proves none.
        upper: Largest value, attained by `witness`; ∞ where the stage looks for none.
        certificate: The proof of `lower`, whatever its sign (its claim holds where `lower` > 0).
        witness: The vector that attains `upper`, whatever its sign (it refutes where `upper` < 0).
        seconds: How long it took.
        remark: What a reader should know: what ran out of time, how sure it is.
        verdict: All that an exact stage found, the boundary told apart; None of stages that only bound.
    """

    stage: str
    lower: float
    upper: float
    certificate: Certificate | None = None
    witness: Witness | None = None
    seconds: float = 0.0
    remark: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True)
class LayerMargin:
    """How a layer stands: `margin` = 1 − its largest (C₊v)_i/(d_i v_i) at the certificate's v; `share` of the witness.

    `share` is the part of zᵀDz that the witness z has in the layer, 0 to 1.
    """

    layer: str
    units: int
    margin: float
    share: float


@dataclass(frozen=True)
class Excitation:
    """What two layers (one twice: its lateral coupling) give each other along the witness z, as a part of zᵀDz.

    `energy` is 2 zᵤᵀC z_l/zᵀDz (zᵀCz/zᵀDz within a layer); `channels` (upper channels, lower channels) splits it.
    """

    upper: str
    lower: str
    energy: float
    channels: Array


@dataclass(frozen=True)
class Remedy:
    """A change that was tried: what to write, and what the checked form then says.

    `factors` multiply weights by state name; `diagonal` (layer → number) replaces d; `upper` (layer → bound) bounds it.
    `holds` is what running the check again with the change said (None: undecided).
    """

    text: str
    holds: Answer
    factors: Mapping[str, float] = field(default_factory=dict[str, float])
    diagonal: Mapping[str, float] = field(default_factory=dict[str, float])
    upper: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Check:
    """What is known of a net's energy: −W on the cone K, whether S is bounded, and how its passes go.

    Attributes:
        name: The spec's name.
        form: −W as it was checked: layers, couplings, filters; None where there is no single energy.
        verdict: Of A = −W over K at the checked size; `bounds` are on the least zᵀAz/zᵀDz.
        bounded: Whether S has a maximum for every input (true also by upper bounds).
        why: One sentence on `bounded`.
        every_size: Whether the certificate holds at every image size, not only the checked one.
        growing: The verdict on the layers that can grow, where others have upper bounds; None where it is `verdict`.
        stages: What each stage found, in the order they ran.
        layers: Margins layer by layer.
        excitations: What excites what along the witness; where nothing is refuted, along the state that came nearest.
        remedies: Changes that were tried; empty where none is needed.
        convergence: How the passes on the given images went; None without images.
        trace: The run behind it.
        remark: Why there is no single energy; empty otherwise.
        seconds: How long the check took.
        outer: How the steps of outer feedback on the given images went; None without either.
    """

    name: str
    form: Form | None
    verdict: Verdict
    bounded: Answer
    why: str
    every_size: bool = False
    growing: Verdict | None = None
    stages: tuple[Bound, ...] = ()
    layers: tuple[LayerMargin, ...] = ()
    excitations: tuple[Excitation, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    convergence: Convergence | None = None
    trace: Trace | None = None
    remark: str = ""
    seconds: float = 0.0
    outer: OuterLoop | None = None

    @property
    def certificate(self) -> Certificate | None:
        """The strongest thing proved."""
        return self.verdict.certificate

    @property
    def witness(self) -> Witness | None:
        """What refutes the strongest claim refuted."""
        return self.verdict.witness
