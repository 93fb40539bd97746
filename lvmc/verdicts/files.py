"""Certificates and witnesses as files: one .npz with what is proved, the proof, and the matrix or net it speaks of."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from lvmc import __version__
from lvmc.verdicts.description import Description, described, proof_of, subject_of
from lvmc.verdicts.records import Array, Certificate, Witness
from lvmc.verdicts.subjects import Subject, digest

FORMAT = 1
ABOUT = "about"
MOST_BYTES = 2**34
"""Bytes of arrays that a file may hold, unpacked."""
MOST_WORDS = 2**24
"""Bytes of its description."""
CHUNK = 2**24
"""Bytes read at a time."""


class ProofFileError(ValueError):
    """A file that is no proof of lvmc's, or a broken one: says which file, what is wrong, and what to do."""


@dataclass(frozen=True)
class Filed:
    """What a proof's file holds.

    Attributes:
        subject: The matrix or the net.
        proof: The certificate or the witness.
        version: Of the lvmc that wrote it.
        made: When, in UTC.
        digest: SHA-256 of the net's weights, or of the matrix.
    """

    subject: Subject
    proof: Certificate | Witness
    version: str
    made: str
    digest: str


def save(path: str | Path, subject: Subject, proof: Certificate | Witness) -> None:
    """Write a proof with what it speaks of; the file appears whole or not at all.

    Numbers that float32 holds without loss are written as such.

    Args:
        path: The file, `<name>.certificate.npz` or `<name>.witness.npz` by custom.
        subject: The matrix or the net (`lvmc.verdicts.subjects.matrix_of`, `net_of`).
        proof: The certificate or the witness.
    """
    from lvmc.durable import replacing  # reading and verifying load nothing else of lvmc

    target = Path(path)
    words, arrays = described(subject, proof)
    about = {"lvmc": FORMAT, "version": __version__, "made": datetime.now(UTC).isoformat(timespec="seconds")}
    text = json.dumps({**about, "sha256": digest(subject), **words}, ensure_ascii=False, allow_nan=False)
    members = {ABOUT: np.frombuffer(text.encode(), np.uint8), **_numbered(arrays)}
    with replacing(target) as beside, beside.open("xb") as file:
        np.savez(file, allow_pickle=False, **members)


def load(path: str | Path) -> tuple[Subject, Certificate | Witness]:
    """The subject and the proof of a file.

    Raises:
        ProofFileError: It is not one of lvmc's, or a broken one.
        OSError: It cannot be read.
    """
    filed = read(path)
    return filed.subject, filed.proof


def read(path: str | Path) -> Filed:
    """All that a proof's file holds.

    Raises:
        ProofFileError: It is not one of lvmc's, or a broken one.
        OSError: It cannot be read.
    """
    try:
        about, arrays = _unpacked(Path(path))
        found = Description(about, arrays)
        if found.whole("lvmc") != FORMAT:
            raise ValueError(f"its format is {found.whole('lvmc')}, not {FORMAT}: another version of lvmc wrote it")
        subject = subject_of(found)
        filed = Filed(subject, proof_of(found), found.text("version"), found.text("made"), found.text("sha256"))
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, NotImplementedError, RecursionError) as error:
        raise ProofFileError(f"{path}: {_reason(error)}; write the proof again, or take another copy of it") from error
    if digest(subject) != filed.digest:
        raise ProofFileError(f"{path}: its numbers are not those it was written with (SHA-256); take another copy")
    return filed


def _reason(error: Exception) -> str:
    if isinstance(error, zipfile.BadZipFile):
        return f"is no proof of lvmc's, or a damaged one ({error})"
    return f"is no proof of lvmc's, or a damaged one: {error.args[0] if error.args else type(error).__name__}"


def _unpacked(path: Path) -> tuple[object, list[Array]]:
    with zipfile.ZipFile(path) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        if sizes.get(f"{ABOUT}.npy", MOST_WORDS + 1) > MOST_WORDS:
            raise ValueError(f"it has no description '{ABOUT}.npy' of at most {MOST_WORDS:,} bytes")
        if sum(sizes.values()) > MOST_BYTES:
            raise ValueError(f"it says that it unpacks to {sum(sizes.values()):,} bytes, more than {MOST_BYTES:,}")
        with archive.open(f"{ABOUT}.npy") as file:
            about: object = json.loads(bytes(_array(file, sizes[f"{ABOUT}.npy"], ABOUT)).decode())
        arrays: list[Array] = []
        for name in _names(sizes):
            with archive.open(name) as file:
                arrays.append(np.asarray(_array(file, sizes[name], name), np.float64))
    return about, arrays


def _names(sizes: Mapping[str, int]) -> Iterator[str]:
    """Names of the arrays, in order."""
    for number in range(len(sizes) - 1):
        if f"{number}.npy" not in sizes:
            raise ValueError(f"it holds something else than arrays: '{number}.npy' is not there")
        yield f"{number}.npy"


def _array(file: IO[bytes], size: int, name: str) -> NDArray[np.generic]:
    """An array, of the numbers that its header declares; nothing is unpickled."""
    major, _ = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype not in (np.dtype("<f4"), np.dtype("<f8"), np.dtype("u1")):
        raise ValueError(f"the array '{name}' is of type {dtype}")
    if prod(shape) * dtype.itemsize > size:
        raise ValueError(f"the array '{name}' declares more numbers than it holds")
    pieces = bytearray()
    while piece := file.read(CHUNK):
        pieces += piece
    declared = prod(shape) * dtype.itemsize
    if len(pieces) != declared:
        raise ValueError(f"the array '{name}' holds {len(pieces):,} bytes, not the {declared:,} it declares")
    return np.frombuffer(pieces, dtype).reshape(shape, order="F" if fortran else "C")


def _numbered(arrays: list[Array]) -> dict[str, NDArray[np.floating]]:
    return {str(number): _smallest(np.ascontiguousarray(values)) for number, values in enumerate(arrays)}


def _smallest(values: Array) -> NDArray[np.floating]:
    """As float32 where nothing is lost."""
    with np.errstate(over="ignore"):
        short = values.astype("<f4")
    return short if np.array_equal(short.astype(np.float64), values) else values.astype("<f8")
