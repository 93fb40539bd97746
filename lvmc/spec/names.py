"""Which names a spec may give, so that all of them can stand in the emitted module as they are."""

from __future__ import annotations

import keyword
import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULE_ATTRIBUTES = _words("""
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu
    load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to
    to_empty train training type xpu zero_grad
""")
"""Public attributes of `torch.nn.Module` (a test compares them with the installed torch)."""

CONV_ATTRIBUTES = _words("""
    dilation groups in_channels kernel_size out_channels output_padding padding padding_mode reset_parameters
    stride transposed
""")
"""Attributes of `torch.nn.Conv2d`, which the emitted layers are."""

CARRIED = _words("""
    Any Callable Channels Coupling Density DifferenceMaps DriveNorm F FixedPoint Integrals LEAST Largest LiftTables
    Lifting LogisticLoss MessageNorm NamedTuple NormalTables QuadrantPeaks ROWS Sequence Size SubGradient Tensor
    adjoint balanced belief_maps bells between bin_middles bins_log bins_mean bins_penalty bounded candidates_of
    channel_diagonals channels_last checkpoint clamped_key contractive_scale copositive_scale correlate
    correlate_adjoint costs_without coupling_norm difference_maps distance_loss dominance draw eliminated entropy
    equal_costs first_of fixed_point gathered gaussian_log gcd gram graph_is_made group_maxima importance_loss
    in_parts inner inverse_of keep known_loss laplace_log largest largest_singular_value log log_proposal
    logistic_loss max_windows mean_where minus_mean nn normal_log normals_of peak_confidence peak_present
    perron_vector pi plane_above points_missing pointwise pointwise_adjoint positive proposals quadrant_peaks
    received render repeat_windows require_size rounds rows_within run_steps safe_scale settle shape_loss shares
    soft_peaks softmax_loss spectral spread spread_ratio sum_windows symmetric tables_in tables_of take tap_phases
    tap_sums torch unwrap upsample upsample_fcn upsample_nearest weighed_costs whole whole_adjoint widened
    windows_of winners with_gradient worst_phase wrap
""")
"""What an emitted file may define or import beside its class (a test compares them with what it carries)."""

EMITTED = CARRIED | _words("""
    batch bias body carried converged cotangent densities diagonal found given heads latents lateral like losses
    math norm number out passes_used reset_parameters rows safe_scale score self size slope state step steps stop
    targets weight winner z
""")
"""Names that the emitted module uses itself."""

_TAKEN = re.compile(r".*(_p\d+|_bottom|_top|_mask)|step\d+|_.*")
_BUILTINS = _words("""
    False None True bool dict float int len list max min print range str sum super tuple zip
""")


def name_fault(name: str) -> str:
    """Why a name cannot be used; empty if it can."""
    if not name.isidentifier() or not name.isascii():
        return f"'{name}' is not a name: letters a to z, digits and underscores, and no digit first"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _BUILTINS:
        return f"'{name}' is a word of Python"
    if name in MODULE_ATTRIBUTES or name in CONV_ATTRIBUTES:
        return f"'{name}' is an attribute of torch modules"
    if name in EMITTED or _TAKEN.fullmatch(name):
        return f"'{name}' is a name that the emitted module uses itself"
    return ""
