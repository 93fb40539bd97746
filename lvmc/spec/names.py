"""Which names a spec may give, so that all of them can stand in the emitted module as they are."""

from __future__ import annotations

import keyword
import re

MODULE_ATTRIBUTES = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia "
    "named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer "
    "register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter "
    "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory "
    "state_dict to to_empty train training type xpu zero_grad".split()
)
"""Public attributes of `torch.nn.Module` (a test compares them with the installed torch)."""

CONV_ATTRIBUTES = frozenset(
    "in_channels out_channels kernel_size stride padding dilation transposed output_padding groups padding_mode "
    "reset_parameters".split()
)
"""Attributes of `torch.nn.Conv2d`, which the emitted layers are."""

EMITTED = frozenset(
    "weight bias norm heads diagonal lateral state latents score losses reset_parameters torch nn F Tensor math self "
    "batch like size winner z out targets".split()
)
"""Names that the emitted module uses itself."""

_TAKEN = re.compile(r".*(_p\d+|_bottom|_top|_mask)|_.*")
_BUILTINS = frozenset("None True False bool dict float int len list max min range str sum super tuple zip print".split())


def name_fault(name: str) -> str:
    """Why a name cannot be used; empty if it can."""
    if not name.isidentifier() or not name.isascii():
        return f"'{name}' is not a name: letters, digits and underscores, not beginning with a digit"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _BUILTINS:
        return f"'{name}' is a word of Python"
    if name in MODULE_ATTRIBUTES or name in CONV_ATTRIBUTES:
        return f"'{name}' is an attribute of torch modules"
    if name in EMITTED or _TAKEN.fullmatch(name):
        return f"'{name}' is a name that the emitted module uses itself"
    return ""
