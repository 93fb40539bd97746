"""Looking inside a run: activations by pass, messages silenced, where gradients come from."""

from lvmc.diagnostics.inside.activations import activations
from lvmc.diagnostics.inside.gradients import GradientNorms, gradient_norms, gradients_by_pass
from lvmc.diagnostics.inside.silenced import Silence, Silenced, silenced

__all__ = ["GradientNorms", "Silence", "Silenced", "activations", "gradient_norms", "gradients_by_pass", "silenced"]
