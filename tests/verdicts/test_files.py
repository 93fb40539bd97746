"""Files of proofs: what is saved is loaded, bit for bit, and what is broken says so."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvmc import __version__
from lvmc.verdicts import Certificate, Witness
from lvmc.verdicts.comparison import differences
from lvmc.verdicts.files import ProofFileError, load, read, save
from lvmc.verdicts.subjects import Matrix, Net, Subject, digest, matrix_of
from lvmc.verdicts.verify import verify

from .subjects import CIRCULAR, HORN, POOLED, SIGNED, net

PROOF = Certificate(
    "strict", "dominance", 0.25, {"v": np.array([1.0, 1 / 3, 1e-300])}, {"groups": 0, "about": "α"}, 0.0
)
SUBJECT = matrix_of(np.eye(3) * 0.1, [[0, 2]])


def same(one: Subject, other: Subject) -> bool:
    """Equal in every number and word."""
    if isinstance(one, Matrix) or isinstance(other, Matrix):
        assert isinstance(one, Matrix)
        assert isinstance(other, Matrix)
        return np.array_equal(one.values, other.values) and one.groups == other.groups
    alike = [(a.name, a.shape, a.least, a.most, a.group) == (b.name, b.shape, b.least, b.most, b.group)
             for a, b in zip(one.layers, other.layers, strict=True)]  # fmt: skip
    found = differences(one, PROOF, other)
    return all(alike) and not found.faults and one.name == other.name


@pytest.mark.parametrize("subject", [SUBJECT, net(POOLED, 0.3), net(CIRCULAR, 0.3), net(SIGNED, 0.3)])
@pytest.mark.parametrize(
    "proof",
    [
        PROOF,
        Certificate("psd", "psd", float("-inf"), chance=1e-6),
        Witness("strict", {"z": np.array([-0.0, 5e-324]), "z:1": np.zeros((0, 2))}, -1 / 3, float("inf")),
    ],
)
def test_what_is_saved_is_loaded(tmp_path: Path, subject: Subject, proof: Certificate | Witness) -> None:
    file = tmp_path / "a.certificate.npz"
    save(file, subject, proof)
    found, loaded = load(file)
    assert same(found, subject)
    assert digest(found) == digest(subject) == read(file).digest
    assert read(file).version == __version__
    assert type(loaded) is type(proof)
    assert list(loaded.arrays) == list(proof.arrays)
    for name, values in proof.arrays.items():
        assert loaded.arrays[name].dtype == np.float64
        assert loaded.arrays[name].shape == values.shape
        assert loaded.arrays[name].tobytes() == values.tobytes()
    words = [{key: value for key, value in vars(each).items() if key != "arrays"} for each in (loaded, proof)]
    assert words[0] == words[1]
    assert list(tmp_path.iterdir()) == [file]


def test_weights_of_float32_stay_so(tmp_path: Path) -> None:
    save(tmp_path / "a.npz", net(CIRCULAR, 0.3), PROOF)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        filters = [arrays[name] for name in arrays.files if arrays[name].ndim == 4]
    assert filters
    assert all(each.dtype == np.float32 for each in filters)


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.npz"
    save(file, SUBJECT, PROOF)
    before = file.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        save(file, matrix_of(HORN), PROOF)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.npz", before)]


def changed(file: Path, member: str, change: Callable[[bytes], bytes]) -> None:
    """Rewrite one member of the archive."""
    with zipfile.ZipFile(file) as archive:
        held = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, change(content) if name == member else content)


def reworded(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the description, as somebody would who knows the format."""

    def on(content: bytes) -> bytes:
        words = json.loads(np.load(io.BytesIO(content)).tobytes())
        change(words)
        return packed(np.frombuffer(json.dumps(words).encode(), np.uint8))

    changed(file, "about.npy", on)


def packed(values: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


def larger(words: dict[str, Any]) -> None:
    words["subject"]["layers"][0]["size"] = [2**30, 2**30]


def without_margin(words: dict[str, Any]) -> None:
    del words["proof"]["margin"]


def other_array(words: dict[str, Any]) -> None:
    words["proof"]["arrays"]["h1"] = 10**6


def other_format(words: dict[str, Any]) -> None:
    words["lvmc"] = 2


def other_claim(words: dict[str, Any]) -> None:
    words["proof"]["claim"] = "true"


def long_group(words: dict[str, Any]) -> None:
    words["subject"]["layers"][0]["group"] = [1, 5, 2]


def pickled(content: bytes) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return out.getvalue()


def declared(content: bytes) -> bytes:
    """A header that says more than is there."""
    return content.replace(b"(3,)", b"(9,)").replace(b"(3, ), ", b"(9, ), ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (larger, "more than 1,000,000,000"),
        (without_margin, "lacks 'margin'"),
        (other_array, "names array 1000000"),
        (other_format, "another version of lvmc"),
        (other_claim, "not one of psd, strict, copositive"),
        (long_group, "do not divide"),
    ],
)
def test_descriptions_that_do_not_fit(tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str) -> None:
    file = tmp_path / "a.npz"
    subject = net(POOLED, 0.3)
    save(file, subject, Certificate("strict", "dominance", 0.1, {"h1": np.ones((3, 12, 8))}))
    reworded(file, change)
    with pytest.raises(ProofFileError, match=said) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("member", "change", "said"),
    [
        ("0.npy", pickled, "of type object"),
        ("1.npy", declared, "declare"),
        ("1.npy", bytes.upper, "a damaged one"),
        ("0.npy", bytes, "^$"),
    ],
)
def test_arrays_that_are_not_what_they_say(
    tmp_path: Path, member: str, change: Callable[[bytes], bytes], said: str
) -> None:
    file = tmp_path / "a.npz"
    save(file, SUBJECT, PROOF)
    changed(file, member, change)
    if change is bytes:
        assert verify(*load(file)).claim
        return
    with pytest.raises(ProofFileError, match=said):
        load(file)


def test_weights_changed_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    save(file, matrix_of(HORN), PROOF)
    changed(file, "0.npy", lambda _: packed(HORN + np.eye(5)))
    with pytest.raises(ProofFileError, match="SHA-256"):
        load(file)


def test_files_of_others(tmp_path: Path) -> None:
    text, arrays, cut = tmp_path / "a.txt", tmp_path / "b.npz", tmp_path / "c.npz"
    text.write_text("not a proof")
    np.savez(arrays, weights=np.zeros(4))
    save(cut, SUBJECT, PROOF)
    cut.write_bytes(cut.read_bytes()[:-40])
    for file in (text, arrays, cut):
        with pytest.raises(ProofFileError, match="is no proof of lvmc's, or a damaged one"):
            load(file)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")


def test_a_small_file_that_unpacks_to_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.npz"
    save(file, SUBJECT, PROOF)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2.npy", packed(np.zeros(10**6)))
    monkeypatch.setattr("lvmc.verdicts.files.MOST_BYTES", 10**6)
    with pytest.raises(ProofFileError, match="more than 1,000,000"):
        load(file)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_byte_changed_is_found_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever a file holds, reading it either gives what was saved or raises one kind of error."""
    file = tmp_path_factory.mktemp("files") / "a.npz"
    save(file, SUBJECT, PROOF)
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(bytes(content))
    try:
        found, proof = load(file)
    except ProofFileError:
        return
    assert same(found, SUBJECT)
    assert isinstance(proof, Certificate)
    assert np.array_equal(proof.arrays["v"], PROOF.arrays["v"])
    assert not isinstance(found, Net)
