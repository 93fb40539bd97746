"""The corpus is what it says: its rays, its decompositions and its small records in integers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from .corpus import corpus, large
from .record import Record
from .reference import Answers, by_determinants, by_projection, form, how_many_supports, in_cone, is_psd

RECORDS = (*corpus(), *large())


def test_there_are_enough_of_every_kind() -> None:
    kinds = Counter((record.copositive, record.strict) for record in corpus())
    assert len({record.name for record in RECORDS}) == len(RECORDS) >= 130
    assert set(kinds) == {(True, True), (True, False), (False, False)}
    assert min(kinds.values()) >= len(corpus()) / 5
    assert sum(record.groups is not None for record in corpus()) >= 60
    assert max(record.size for record in corpus()) == 40
    assert min(record.size for record in large()) >= 50


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_is_what_it_says(record: Record) -> None:
    check_refutation(record)
    check_decomposition(record)
    check_reference(record)


def check_refutation(record: Record) -> None:
    """A ray where one is given; every other refuted record is small enough for the reference."""
    assert np.array_equal(record.matrix, record.matrix.T)
    assert record.copositive or not record.strict
    if record.strict:
        assert record.ray is None
    elif record.ray is not None:
        value = form(record.matrix, record.ray)
        assert in_cone(record.ray, record.groups)
        assert any(record.ray)
        assert value == 0 if record.copositive else value < 0
    else:
        assert how_many_supports(record.size, record.groups) < 2048


def check_decomposition(record: Record) -> None:
    """Where N is given, it proves copositivity."""
    if record.nonnegative is not None:
        assert record.copositive
        assert np.all(record.nonnegative >= 0)
        assert is_psd(record.matrix - record.nonnegative)


def check_reference(record: Record) -> None:
    """Small ones, by Hadeler's determinants; the smallest by elimination too."""
    if record.size <= 16 and how_many_supports(record.size, record.groups) < 2048:
        assert by_determinants(record.matrix, record.groups) == Answers(record.copositive, record.strict)
    if record.size <= 5:
        assert by_projection(record.matrix, record.groups) == Answers(record.copositive, record.strict)
