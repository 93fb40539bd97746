"""QP_k as researchers write it: each update computes both of its messages; unpooling uses the indices of pooling."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from rivals.network import Network


class Naive(nn.Module):
    """k sweeps over the layers, up and down in turn.

    `trimmed` leaves out what a careful author sees to be for nothing: updating a layer again right after a turn, and
    in a last sweep down the layers below the lowest one read.
    """

    def __init__(self, network: Network, passes: int, trimmed: bool = False) -> None:
        super().__init__()
        self.network = network
        self.passes = passes
        self.trimmed = trimmed

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Heads by name."""
        net = self.network
        values: dict[str, Tensor] = {}  # of pooled layers, at pooled size
        indices: dict[str, Tensor] = {}
        for sweep in range(1, self.passes + 1):
            for i in self._order(sweep):
                name = net.names[i]
                drive = net.up(name, values[net.names[i - 1]] if i > 0 else image)
                if name in net.pooled:
                    drive, indices[name] = F.max_pool2d(drive, 2, return_indices=True)
                if i + 1 < len(net.names) and net.names[i + 1] in values:
                    drive = drive + self._from_above(net.names[i + 1], values, indices)
                values[name] = F.relu(net.norm(name, drive))
        return net.readout(image, values)

    def _from_above(self, name: str, values: dict[str, Tensor], indices: dict[str, Tensor]) -> Tensor:
        value = values[name]
        if name in self.network.pooled:
            value = F.max_unpool2d(value, indices[name], (2, 2))
        return self.network.down(name, value)

    def _order(self, sweep: int) -> list[int]:
        count = len(self.network.names)
        upwards = sweep % 2 == 1
        if not self.trimmed:
            return list(range(count)) if upwards else list(reversed(range(count)))
        if upwards:
            return list(range(0 if sweep == 1 else 1, count))
        end = self.network.lowest_read() if sweep == self.passes else 0
        return list(range(count - 2, end - 1, -1))
