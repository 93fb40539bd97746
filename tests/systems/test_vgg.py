"""QP1 of VGG-16 is VGG-16: torchvision-layout weights, with and without batch norm, against a plain nn.Sequential."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import lvmc
from lvmc.loading import resolve
from lvmc.runtime.torchvision import from_torchvision

CONFIGURATION = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]


class Vgg(nn.Module):
    """torchvision's VGG-16 by its state names; `width` divides its channels."""

    def __init__(self, width: int = 1, norm: bool = False, hidden: int = 4096, side: int = 7) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for entry in CONFIGURATION:
            if isinstance(entry, str):
                layers.append(nn.MaxPool2d(2))
                continue
            layers.append(nn.Conv2d(channels, entry // width, 3, padding=1))
            layers += [nn.BatchNorm2d(entry // width)] if norm else []
            layers.append(nn.ReLU())
            channels = entry // width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * side * side, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Dropout(), nn.Linear(hidden, 10),
        )  # fmt: skip

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """fc7 after its ReLU."""
        return self.classifier[:5](self.features(image).flatten(1))


def thin_spec(norm: bool) -> dict[str, Any]:
    """The VGG-16 spec at an eighth of the channels and 64×64 pixels."""
    _, graph = resolve("qp1_vgg16")
    layers: dict[str, Any] = {}
    for layer in graph.layers:
        kernel = 2 if layer.name == "fc6" else layer.couplings[0].kernel[0]
        fully = layer.name.startswith("fc")
        keys: dict[str, Any] = {"channels": 48 if fully else layer.channels // 8, "filter": kernel}
        keys |= {"padding": 0} if layer.name == "fc6" else {}
        keys |= {"nms": 2} if layer.group else {}
        layers[layer.name] = keys | ({"norm": "drive"} if norm and not fully else {})
    image = {"channels": 3, "size": 64}
    return {"lvmc": 1, "name": "thin", "inputs": {"image": image}, "layers": layers, "inference": {"passes": 1}}


def randomised(net: Vgg) -> Vgg:
    """Weights at which activations stay of order one, and norms that do something."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, mean=0.0, std=1.0)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return net.eval()


def compare(spec: Any, net: Vgg, image: torch.Tensor) -> None:
    """fc7 of the compiled spec with the net's weights, and what the mapping says of the rest."""
    resolved, graph = resolve(spec)
    mapped = from_torchvision(graph, net.state_dict())
    assert mapped.unused == ("classifier.6.weight", "classifier.6.bias")
    assert all(name.startswith("heads.") for name in mapped.missing)
    model = lvmc.compile(resolved).eval()
    model.load_state_dict(mapped.state, strict=not mapped.missing)
    with torch.no_grad():
        wanted = net(image)
        found = model.latents(image)["fc7"].flatten(1)
    assert (found - wanted).abs().max() <= 1e-5 * (1 + wanted.abs().max())
    assert wanted.abs().max() > 0.1


def test_vgg16_at_full_size() -> None:
    """The zoo's qp1_vgg16 at 224×224, the flattened fc6 included."""
    compare("qp1_vgg16", randomised(Vgg()), torch.randn(1, 3, 224, 224))


def test_batch_norm_as_diagonal() -> None:
    """`norm: drive` in evaluation is VGG-16 with batch norm, negative scales turned."""
    net = randomised(Vgg(width=8, norm=True, hidden=48, side=2))
    assert any(bool((m.weight < 0).any()) for m in net.modules() if isinstance(m, nn.BatchNorm2d))
    compare(thin_spec(norm=True), net, torch.randn(2, 3, 64, 64))


def test_batch_norm_folded() -> None:
    """The same net with its norms folded into plain filters and biases."""
    net = randomised(Vgg(width=8, norm=True, hidden=48, side=2))
    folded = Vgg(width=8, hidden=48, side=2).eval()
    convs = [module for module in net.features if isinstance(module, nn.Conv2d)]
    norms = [module for module in net.features if isinstance(module, nn.BatchNorm2d)]
    for target, conv, norm in zip((m for m in folded.features if isinstance(m, nn.Conv2d)), convs, norms, strict=True):
        fused = torch.nn.utils.fuse_conv_bn_eval(conv, norm)
        target.load_state_dict(fused.state_dict())
    folded.classifier.load_state_dict(net.classifier.state_dict())
    image = torch.randn(2, 3, 64, 64)
    assert torch.allclose(folded(image), net(image), atol=1e-4)
    compare(thin_spec(norm=False), folded, image)
