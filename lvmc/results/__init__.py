"""A run on files: what goes in, and its heads, latents and trace as pictures and numbers."""

from lvmc.results.figures import save
from lvmc.results.folder import write_results
from lvmc.results.heads import draw_head
from lvmc.results.images import Given, read_block
from lvmc.results.inside import draw_activations, draw_gradients, draw_silenced
from lvmc.results.latents import draw_latent
from lvmc.results.look import Inside, look_inside, write_inside
from lvmc.results.ran import Ran, run_model
from lvmc.results.steps import draw_state, moves, step_rows
from lvmc.results.trace import draw_trace, trace_rows

__all__ = [
    "Given", "Inside", "Ran", "draw_activations", "draw_gradients", "draw_head", "draw_latent", "draw_silenced",
    "draw_state", "draw_trace", "look_inside", "moves", "read_block", "run_model", "save", "step_rows",
    "trace_rows", "write_inside", "write_results",
]  # fmt: skip
