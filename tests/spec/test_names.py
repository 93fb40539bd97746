"""Names of a spec can stand in the emitted module: as attributes, arguments and locals."""

from __future__ import annotations

import keyword
import string

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lvmc.codegen import class_name
from lvmc.codegen.support import definitions, imports

from lvmc.spec.names import CARRIED, CONV_ATTRIBUTES, MODULE_ATTRIBUTES, name_fault


def _public(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def test_module_attributes_are_those_of_the_installed_torch() -> None:
    assert _public(dir(torch.nn.Module())) == MODULE_ATTRIBUTES


def test_convolution_attributes_are_those_of_the_installed_torch() -> None:
    own = _public(dir(torch.nn.Conv2d(1, 1, 1))) - MODULE_ATTRIBUTES
    assert own - {"weight", "bias"} == CONV_ATTRIBUTES


def test_carried_names_are_those_that_emitted_files_carry() -> None:
    assert {*definitions(), *imports(), "F", "torch"} == CARRIED


@pytest.mark.parametrize("name", ["drive_norm", "fixed_point", "largest", "callable", "f"])
def test_the_emitted_class_is_none_of_them(name: str) -> None:
    assert class_name(name) == "".join(part.capitalize() for part in name.split("_")) + "Model"


@pytest.mark.parametrize("name", ["h1", "conv1_1", "H", "image", "left_eye", "a" * 200, "p2", "top", "h_px", "layer1"])
def test_plain_names_are_free(name: str) -> None:
    assert name_fault(name) == ""


TAKEN = """
    class match None int weight bias norm heads diagonal lateral state rows found take h_p1 h_p10 h_bottom h_top _h
    __init__ forward kernel_size F
"""


@pytest.mark.parametrize("name", ["", "1h", "h-1", "h 1", "h.1", "größe", "h\n", *TAKEN.split()])
def test_names_that_would_clash_are_not(name: str) -> None:
    assert name_fault(name) != ""


@given(st.text(string.ascii_letters + string.digits + "_é -", max_size=8))
def test_a_free_name_can_be_an_attribute_of_a_module(name: str) -> None:
    module = torch.nn.Module()
    if not name_fault(name):
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not hasattr(module, name)
        module.add_module(name, torch.nn.Identity())
