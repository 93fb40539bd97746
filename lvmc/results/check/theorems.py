"""What stands behind a certificate, for a footnote: the theorem, its source, and how it is checked again."""

from __future__ import annotations

from lvmc.verdicts import Certificate

DOMINANCE = (
    "Weighted dominance: for some v > 0, (C₊v)ᵢ < dᵢvᵢ at every unit, so no unit is excited by more than it costs "
    "(2zᵢzⱼ ≤ zᵢ²vⱼ/vᵢ + zⱼ²vᵢ/vⱼ)."
)
ABSOLUTE = "Weighted dominance of |C|: for some v > 0, (|C|v)ᵢ < dᵢvᵢ at every unit, so D − C is positive semidefinite."
GROUPS = (
    "Weighted dominance by groups: at most one unit of a group is active, so only the largest term of each group "
    "counts: for some v > 0, Σ over groups of the largest (C₊)ᵢⱼvⱼ is less than dᵢvᵢ at every unit."
)
TORUS = " On the torus whose top layer is one position; smaller and larger images are parts of the same lattice."
THEOREMS = {
    "dominance": DOMINANCE,
    "lanczos": (
        "Lanczos with a random start: the largest eigenvalue of D^-½CD^-½ from its Ritz value, with a stated chance of "
        "error (Kuczyński and Woźniakowski 1992)."
    ),
    "spn": (
        "Attenuated inhibition: A = (D − C₊ + M) + (C₋ − M) with 0 ≤ M ≤ C₋; the first part is positive semidefinite, "
        "the second has no negative entry (Parrilo 2000)."
    ),
    "psd": "A is positive semidefinite, by an eigenvalue bound.",
    "tree": (
        "Branching over supports until each leaf has a short proof of its own: entries that cannot be negative, a "
        "dominated or a positive semidefinite part (Bundfuss and Dür 2008; Dickinson 2019)."
    ),
}
"""What is said of each kind of certificate."""


def theorem(proof: Certificate) -> str:
    """The theorem behind a certificate in a sentence or two."""
    facts = proof.facts
    text = THEOREMS.get(proof.kind, f"A proof of kind “{proof.kind}”.")
    if proof.kind == "dominance":
        text = GROUPS if facts.get("groups") == 1 else ABSOLUTE if facts.get("part") == "absolute" else DOMINANCE
    if facts.get("matrix") == 1:
        text += " Of the explicit matrix."
    return text + (TORUS if facts.get("torus") == 1 else "")


def sureness(proof: Certificate) -> str:
    """How sure it is."""
    if proof.chance:
        return f"It is wrong with a chance of at most {proof.chance:.0e}."
    return "It is a proof: rounding is bounded, and chance has no part in it."
