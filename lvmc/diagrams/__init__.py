"""Pictures of a model: its energy, and its unrolled program."""

from lvmc.diagrams.energy import energy
from lvmc.diagrams.picture import Picture
from lvmc.diagrams.render import DrawError
from lvmc.diagrams.unrolled import unrolled
from lvmc.diagrams.writing import FORMATS, write

__all__ = ["FORMATS", "DrawError", "Picture", "energy", "unrolled", "write"]
