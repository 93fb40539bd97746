"""Pictures of a model: its energy, and its unrolled program."""

from lvmc.diagrams.drawing.picture import Picture
from lvmc.diagrams.energy_view.energy import energy
from lvmc.diagrams.formats.render import DrawError
from lvmc.diagrams.formats.writing import FORMATS, write
from lvmc.diagrams.unrolled_view.net import net
from lvmc.diagrams.unrolled_view.unrolled import unrolled

__all__ = ["FORMATS", "DrawError", "Picture", "energy", "net", "unrolled", "write"]
