"""Pictures and files of one run: what went in, the heads, the latents, and the trace."""

from lvmc.results.heads import draw_head
from lvmc.results.images import Given, read_block
from lvmc.results.latents import draw_latent
from lvmc.results.trace import draw_trace, trace_rows

__all__ = ["Given", "draw_head", "draw_latent", "draw_trace", "read_block", "trace_rows"]
