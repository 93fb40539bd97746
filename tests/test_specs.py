"""The zoo: every model loads, has the size its head comment says, and is the model of its paper."""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod

import numpy as np
import pytest
from scipy.optimize import nnls

from lvmc import SpecError, load, specs
from lvmc.graph import EnergyGraph
from lvmc.heads.heatmap import Heatmap
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.unroll import unroll

VGG16 = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


def graph_of(name: str) -> EnergyGraph:
    return resolve(name)[1]


def shapes(graph: EnergyGraph) -> dict[str, tuple[int, ...]]:
    return {variable.name: variable.type.shape for variable in graph.parameters if variable.kind == "parameter"}


@pytest.mark.parametrize("name", specs.names())
def test_the_head_comment_tells_paper_size_and_figures(name: str) -> None:
    lines = specs.path(name).read_text(encoding="utf-8").splitlines()
    comment = "\n".join(lines[: lines.index("lvmc: 1")])
    graph = graph_of(name)
    parameters = sum(prod(shape) for shape in shapes(graph).values())
    units = sum(layer.units for layer in graph.layers)
    assert graph.name == name
    assert max(map(len, lines)) <= 120
    assert f"# Parameters: {parameters:,}. Units: {units:,}." in lines
    assert re.search(r"^# Paper: .*^# Size: .*^# Figures: ", comment, re.MULTILINE | re.DOTALL)


def test_only_the_released_model_and_stages_are_no_energy() -> None:
    assert [name for name in specs.names() if graph_of(name).why_no_energy] == ["cpm", "cpm_lift", "qp2_vgg16_released"]


def test_a_wrong_name_is_told_the_right_one() -> None:
    with pytest.raises(SpecError, match=r"did you mean 'qp2_vgg16'\?"):
        specs.path("qp_vgg16")


@pytest.mark.parametrize(("one", "two"), [("qp1_vgg16", "qp2_vgg16")])
def test_feedback_takes_no_parameters(one: str, two: str) -> None:
    """The two differ in the passes alone (CVPR 2016, §3: "requires no additional parameters")."""
    first, second = load(one), load(two)
    assert (first.inference.passes, second.inference.passes) == (1, 2)
    same = {"name": "", "description": "", "inference": first.inference}
    assert first.model_copy(update=same) == second.model_copy(update=same)
    assert shapes(graph_of(one)) == shapes(graph_of(two))


def test_the_vgg16_models_have_the_filters_of_vgg16() -> None:
    """138,357,544 parameters of torchvision's VGG-16 less its last layer, 1000 × 4096 + 1000."""
    body = {name: shape for name, shape in shapes(graph_of("qp2_vgg16")).items() if not name.startswith("heads.")}
    filters = [shape for shape in body.values() if len(shape) == 4]
    convolutions = [(above, below, 3, 3) for below, above in zip([3, *VGG16], VGG16, strict=False)]
    assert filters == [*convolutions, (4096, 512, 7, 7), (4096, 4096, 1, 1)]
    assert sum(map(prod, body.values())) == 138_357_544 - 4_097_000


def test_the_released_model_has_the_planes_of_the_released_code() -> None:
    graph = graph_of("qp2_vgg16_released")
    assert [graph.layer[name].size for name in ("conv5_3", "fc6", "fc7")] == [(16, 14), (8, 7), (8, 7)]
    assert [reading.size for reading in graph.heads[0].readings] == [(8, 7), (16, 14), (32, 28), (64, 56)]


@pytest.mark.parametrize("name", ["qp1_vgg16", "qp2_vgg16", "qp2_vgg16_released", "qpk_small"])
def test_mirrored_points_are_left_and_right(name: str) -> None:
    head = graph_of(name).heads[0].record
    assert isinstance(head, Heatmap)
    assert head.points is not None
    names, flip, skeleton = head.points.names or (), head.points.flip or (), head.points.skeleton or ()
    swap = {"r": "l", "l": "r"}
    mirrored = [re.sub(r"^[rl](?=_)", lambda side: swap[side[0]], name) for name in names]
    assert [names[index] for index in flip] == mirrored
    limbs = {frozenset(limb) for limb in skeleton}
    assert {frozenset(flip[point] for point in limb) for limb in limbs} == limbs
    assert len(limbs) == len(names) - 1


@pytest.mark.parametrize(("name", "read"), [("clvm1_vgg19", ["z8", "z8"]), ("clvm2_vgg19", ["z1", "z5"])])
def test_clvm_is_the_bottom_of_vgg19(name: str, read: list[str]) -> None:
    graph = graph_of(name)
    assert [layer.channels for layer in graph.layers] == [64, 64, 128, 128, 256, 256, 256, 256]
    assert [layer.size[0] for layer in graph.layers] == [180, 180, 90, 90, 45, 45, 45, 45]
    assert [reading.layer for head in graph.heads for reading in head.readings] == read


def test_nnls_solves_non_negative_least_squares() -> None:
    """scipy's active-set solver is the other solver; the spec's own passes come close, more of them arrive."""
    random = np.random.default_rng(0)
    matrix, y = random.normal(size=(24, 8)), random.normal(size=24)
    gram = matrix.T @ matrix
    diagonal = np.diag(gram)
    given = {
        "y": y.reshape(1, 24, 1, 1),
        "x.weight": matrix.T.reshape(8, 24, 1, 1),
        "x.diagonal": diagonal,
        "x.lateral": (np.diag(diagonal) - gram).reshape(8, 8, 1, 1),
    }
    graph, answer = graph_of("nnls"), nnls(matrix, y)[0]
    assert 0 < np.count_nonzero(answer) < 8
    for passes, within in ((graph.passes, 1e-2), (500, 1e-9)):
        found = interpret(unroll(replace(graph, passes=passes)), given)["x"].reshape(8)
        assert np.abs(found - answer).max() < within
