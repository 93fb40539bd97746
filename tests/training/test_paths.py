"""Fixed paths: bounded corrections that lead to the targets, and where they start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import lvmc
from lvmc.graph.states import StateNode
from lvmc.loading import resolve
from lvmc.training.paths import corrections_along, fixed_path, start_of

SPEC: dict[str, Any] = {
    "lvmc": 1,
    "name": "net",
    "state": {"pose": {"points": 2, "init": "median"}},
    "inputs": {"image": {"channels": 1, "size": [12, 12]}, "belief": {"render": "pose", "sigma": 1.5}},
    "layers": {"h1": {"channels": 8, "filter": 5, "nms": 2}, "h2": {"channels": 8, "filter": 3}},
    "heads": {"correction": {"kind": "vector", "outputs": 4, "reads": "h2"}},
    "feedback": {"update": {"pose": {"add": "correction", "bound": 3.0, "scale": 2.0}}, "steps": 3},
}


def state_of(**changes: Any) -> StateNode:
    feedback = resolve(SPEC)[1].feedback
    assert feedback is not None
    state = feedback.states[0]
    return replace(state, change=replace(state.change, **changes))


def test_paths_move_by_the_bound_and_arrive() -> None:
    """Each point by min(L, ‖u‖) along u, in a straight line; the head's targets are what moves it, by its scale."""
    random = np.random.default_rng(0)
    target, start = torch.from_numpy(random.uniform(0, 12, (5, 2, 2))), torch.from_numpy(random.uniform(0, 12, (2, 2)))
    path = fixed_path(state_of(), target, start, 7)
    assert path.points.shape == (8, 5, 2, 2)
    assert path.corrections.shape == (7, 5, 4)
    for sample in range(5):
        for point in range(2):
            now = start[point].numpy()
            for step in range(7):
                change = target[sample, point].numpy() - now
                length = np.hypot(*change)
                move = change * min(1.0, 3.0 / length) if length else change
                assert np.allclose(2 * path.corrections[step, sample].view(2, 2)[point].numpy(), move, atol=1e-12)
                now = now + move
                assert np.allclose(path.points[step + 1, sample, point].numpy(), now, atol=1e-12)
    assert torch.allclose(path.points[-1], target)


def test_each_number_is_bounded_by_itself_if_told() -> None:
    target, start = torch.tensor([[[9.0, 1.0], [0.0, -7.0]]]), torch.zeros(2, 2)
    path = fixed_path(state_of(each=True, scale=1.0), target, start, 1)
    assert path.corrections.tolist() == [[[3.0, 1.0, 0.0, -3.0]]]


def test_set_states_have_the_target_at_every_step() -> None:
    target = torch.tensor([[[9.0, 1.0], [0.0, -7.0]]])
    path = fixed_path(state_of(how="set", scale=1.0), target, torch.zeros(2, 2), 2)
    assert torch.equal(path.corrections, target.flatten(1).expand(2, 1, 4))
    assert torch.equal(path.points[1], target)


def test_a_model_s_own_path_has_targets_too() -> None:
    """On the fixed path they are its own; beside it they point to the target."""
    target = torch.tensor([[[9.0, 1.0], [0.0, -7.0]]])
    state = state_of()
    path = fixed_path(state, target, torch.zeros(2, 2), 4)
    assert torch.allclose(corrections_along(state, target, path.points[:-1]), path.corrections)


def test_points_without_targets_stay_where_they_are() -> None:
    target = torch.tensor([[[9.0, 1.0], [torch.nan, torch.nan]]])
    start = torch.tensor([[0.0, 0.0], [4.0, 5.0]])
    path = fixed_path(state_of(), target, start, 2)
    assert path.points[:, 0, 1].tolist() == [[4.0, 5.0]] * 3
    assert path.corrections[..., 2:].isnan().all()
    assert not path.corrections[..., :2].isnan().any()


@pytest.mark.parametrize(("how", "wanted"), [("median", [2.0, 5.0]), ("mean", [4.0, 5.0])])
def test_starts_are_statistics_of_points_that_count(how: Any, wanted: list[float]) -> None:
    points = torch.tensor([[[1.0, 5.0]], [[2.0, 5.0]], [[9.0, 5.0]], [[100.0, 100.0]]])
    counted = torch.tensor([[True], [True], [True], [False]])
    assert start_of(points, how, counted).tolist() == [wanted]
    assert start_of(points, how, torch.zeros(4, 1, dtype=torch.bool)).tolist() == [[0.0, 0.0]]


def test_starts_come_from_files(tmp_path: Any) -> None:
    """The array of the state's name, or the only one; what does not fit is told."""
    start = np.arange(4.0).reshape(2, 2)
    np.savez(tmp_path / "start.npz", pose=start, other=np.zeros(3))
    spec = {**SPEC, "state": {"pose": {"points": 2, "init": str(tmp_path / "start.npz")}}}
    model = lvmc.compile(spec)
    assert np.array_equal(model.pose.start.numpy(), start)
    assert torch.equal(lvmc.compile(SPEC).pose.start, torch.zeros(2, 2))
    np.savez(tmp_path / "start.npz", pose=start[:1])
    with pytest.raises(ValueError, match=r"'pose' is \(1, 2\) in .*; state 'pose' is \(2, 2\)"):
        lvmc.compile(spec)
    np.savez(tmp_path / "start.npz", a=start, b=start)
    with pytest.raises(ValueError, match="has no array 'pose'"):
        lvmc.compile(spec)
    (tmp_path / "start.npz").unlink()
    with pytest.raises(FileNotFoundError, match="where state 'pose' starts"):
        lvmc.compile(spec)
