"""Outer feedback is drawn as one step in a frame, with its states and the way back to the inputs that show them."""

from __future__ import annotations

import pytest

from lvmc.assemble import Options
from lvmc.diagrams import net
from lvmc.diagrams.formats.mermaid import mermaid_text
from tests.diagrams.nets import graph_of, links
from tests.diagrams.test_laws import check_drawable


@pytest.mark.parametrize(
    ("name", "title", "loop"),
    [
        ("ief_pose", "× 3 steps", [("correction", "pose"), ("pose", "belief")]),
        ("cpm", "× 3 steps, each with weights of its own", [("points", "beliefs"), ("beliefs", "seen")]),
    ],
)
def test_steps_are_a_frame_with_what_is_carried(name: str, title: str, loop: list[tuple[str, str]]) -> None:
    picture = net(graph_of(name), Options())
    check_drawable(picture)
    assert [node.title for node in picture.nodes if node.name == "steps"] == [title]
    assert set(loop) <= set(links(picture, "read"))
    assert title in mermaid_text(picture)
