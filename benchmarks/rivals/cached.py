"""QP_k by a careful author: bottom-up messages are kept for the sweep down, and nothing is updated for nothing."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from rivals.network import Network


class Cached(nn.Module):
    """k sweeps over the layers, up and down in turn; each sweep down adds to what the sweep up before it computed."""

    def __init__(self, network: Network, passes: int) -> None:
        super().__init__()
        self.network = network
        self.passes = passes

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Heads by name."""
        net = self.network
        values: dict[str, Tensor] = {}  # of pooled layers, at pooled size
        bottom: dict[str, Tensor] = {}
        indices: dict[str, Tensor] = {}
        last = len(net.names) - 1
        for sweep in range(1, self.passes + 1):
            upwards = sweep % 2 == 1
            for i in self._order(sweep):
                name = net.names[i]
                if upwards:
                    message = net.up(name, values[net.names[i - 1]] if i > 0 else image)
                    if name in net.pooled:
                        message, indices[name] = F.max_pool2d(message, 2, return_indices=True)
                    bottom[name] = message
                drive = bottom[name]
                if i < last and net.names[i + 1] in values:
                    above = net.names[i + 1]
                    value = values[above]
                    if above in net.pooled:
                        value = F.max_unpool2d(value, indices[above], (2, 2))
                    drive = drive + net.down(above, value)
                values[name] = F.relu(net.norm(name, drive))
        return net.readout(image, values)

    def _order(self, sweep: int) -> list[int]:
        count = len(self.network.names)
        if sweep % 2 == 1:
            return list(range(0 if sweep == 1 else 1, count))
        end = self.network.lowest_read() if sweep == self.passes else 0
        return list(range(count - 2, end - 1, -1))
