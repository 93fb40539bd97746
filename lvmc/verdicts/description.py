"""What a proof's file says in words, as JSON, and the arrays that the words number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import cast, get_args

import numpy as np

from lvmc.verdicts.records import Array, Certificate, Claim, Witness
from lvmc.verdicts.subjects import Coupling, Layer, Matrix, Net, Pair, Subject
from lvmc.verdicts.wellformed import fault_of

Words = Mapping[str, object]
REACH = 2**31
"""No size, index or count in a description is larger."""


class Description:
    """The words of a file, read with their types, and its arrays."""

    def __init__(self, words: object, arrays: Sequence[Array]) -> None:
        if not isinstance(words, dict):
            raise ValueError("its description has a list, a number or a text in place of named entries")
        self.words, self.arrays = cast("Words", words), arrays

    def text(self, name: str) -> str:
        """A text."""
        found = self._at(name)
        if not isinstance(found, str):
            raise ValueError(f"'{name}' is no text")
        return found

    def number(self, name: str) -> float:
        """A number, infinity and the like as texts."""
        return _number(self._at(name), name)

    def whole(self, name: str) -> int:
        """A whole number."""
        return _whole(self._at(name), name)

    def flag(self, name: str) -> bool:
        """True or false."""
        found = self._at(name)
        if not isinstance(found, bool):
            raise ValueError(f"'{name}' is neither true nor false")
        return found

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        return tuple(_whole(each, name) for each in self._list(name))

    def pair(self, name: str) -> Pair:
        """Two whole numbers."""
        rows, columns = self.wholes(name)
        return (rows, columns)

    def array(self, name: str) -> Array:
        """The array that a word numbers."""
        return self._numbered(self.whole(name), name)

    def part(self, name: str) -> Description:
        """The entries under a name."""
        return Description(self._at(name), self.arrays)

    def parts(self, name: str) -> list[Description]:
        """A list of entries."""
        return [Description(each, self.arrays) for each in self._list(name)]

    def lists(self, name: str) -> tuple[tuple[int, ...], ...]:
        """A list of lists of whole numbers."""
        return tuple(Description({name: each}, ()).wholes(name) for each in self._list(name))

    def named(self) -> dict[str, Array]:
        """Every entry as an array."""
        return {name: self.array(name) for name in self.words}

    def facts(self) -> dict[str, float | int | str]:
        """Every entry as a number or a text."""
        return {name: value if isinstance(value, str | int | float) else _number(value, name)
                for name, value in self.words.items()}  # fmt: skip

    def has(self, name: str) -> bool:
        """Whether there is such an entry."""
        return name in self.words

    def _at(self, name: str) -> object:
        if name not in self.words:
            raise ValueError(f"its description lacks '{name}'")
        return self.words[name]

    def _list(self, name: str) -> list[object]:
        found = self._at(name)
        if not isinstance(found, list):
            raise ValueError(f"'{name}' is no list")
        return cast("list[object]", found)

    def _numbered(self, number: int, name: str) -> Array:
        if not 0 <= number < len(self.arrays):
            raise ValueError(f"'{name}' names array {number} of {len(self.arrays)}")
        return self.arrays[number]


def described(subject: Subject, proof: Certificate | Witness) -> tuple[dict[str, object], list[Array]]:
    """The words of a file, and its arrays."""
    arrays = list[Array]()

    def put(values: Array) -> int:
        arrays.append(np.asarray(values, np.float64))
        return len(arrays) - 1

    if isinstance(subject, Matrix):
        of: dict[str, object] = {"matrix": put(subject.values), "groups": subject.groups}
    else:
        of = {
            "net": subject.name,
            "layers": [
                {"name": each.name, "channels": each.channels, "size": each.size, "diagonal": put(each.diagonal),
                 "least": _word(each.least), "most": _word(each.most), "group": each.group}
                for each in subject.layers
            ],
            "couplings": [
                {"upper": each.upper, "lower": each.lower, "weight": each.weight, "filter": put(each.filter),
                 "stride": each.stride, "dilation": each.dilation, "padding": each.padding,
                 "circular": each.circular, "replicate": each.replicate, "full": each.full}
                for each in subject.couplings
            ],
        }  # fmt: skip
    vectors = {name: put(values) for name, values in proof.arrays.items()}
    if isinstance(proof, Witness):
        said: dict[str, object] = {"refutes": proof.refutes, "value": _word(proof.value), "error": _word(proof.error)}
    else:
        facts = {name: value if isinstance(value, str | int) else _word(value) for name, value in proof.facts.items()}
        said = {"claim": proof.claim, "kind": proof.kind, "margin": _word(proof.margin), "facts": facts}
        said["chance"] = _word(proof.chance)
    return {"subject": of, "proof": {**said, "arrays": vectors}}, arrays


def subject_of(found: Description) -> Subject:
    """The matrix or the net.

    Raises:
        ValueError: It is none that a proof can speak of.
    """
    of = found.part("subject")
    if of.has("matrix"):
        subject: Subject = Matrix(of.array("matrix"), of.lists("groups"))
    else:
        layers, couplings = map(_layer, of.parts("layers")), map(_coupling, of.parts("couplings"))
        subject = Net(of.text("net"), tuple(layers), tuple(couplings))
    if fault := fault_of(subject):
        raise ValueError(fault)
    return subject


def proof_of(found: Description) -> Certificate | Witness:
    """The certificate or the witness."""
    proof = found.part("proof")
    arrays = proof.part("arrays").named()
    if proof.has("refutes"):
        return Witness(_claim(proof, "refutes"), arrays, proof.number("value"), proof.number("error"))
    facts, chance = proof.part("facts").facts(), proof.number("chance")
    return Certificate(_claim(proof, "claim"), proof.text("kind"), proof.number("margin"), arrays, facts, chance)


def _layer(of: Description) -> Layer:
    channels, rows, columns = of.wholes("group")
    return Layer(
        of.text("name"), of.whole("channels"), of.pair("size"), of.array("diagonal"), of.number("least"),
        of.number("most"), (channels, rows, columns),
    )  # fmt: skip


def _coupling(of: Description) -> Coupling:
    return Coupling(
        of.text("upper"), of.text("lower"), of.text("weight"), of.array("filter"), of.pair("stride"),
        of.pair("dilation"), of.pair("padding"), of.flag("circular"), of.pair("replicate"), of.flag("full"),
    )  # fmt: skip


def _claim(of: Description, name: str) -> Claim:
    found = of.text(name)
    if found not in get_args(Claim):
        raise ValueError(f"'{name}' is '{found}', not one of {', '.join(get_args(Claim))}")
    return cast("Claim", found)


def _word(value: float) -> float | str:
    return float(value) if isfinite(value) else str(float(value))


def _number(value: object, name: str) -> float:
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"'{name}' is no number")
    return float(value) if abs(value) < 10**300 else inf


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > REACH:
        raise ValueError(f"'{name}' is no whole number of at most {REACH:,}")
    return value
