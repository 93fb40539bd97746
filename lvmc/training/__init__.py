"""Training: targets and losses, stages, checkpoints, and the loop on Lightning Fabric."""

from lvmc.training.engine import is_first
from lvmc.training.progress import Progress, Trained, in_words
from lvmc.training.run import train_spec

__all__ = ["Progress", "Trained", "in_words", "is_first", "train_spec"]
