"""`lvmc import-weights`: what maps, what does not, and files that are something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import lvmc

from ..systems.test_vgg import Vgg, randomised, thin_spec
from .conftest import Call


def vgg(norm: bool) -> Vgg:
    return randomised(Vgg(width=8, norm=norm, hidden=48, side=2))


def state_of(net: Vgg) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in net.state_dict().items()}


@pytest.fixture
def thin(tmp_path: Path) -> str:
    """A spec of VGG-16's layers, with a head that torchvision's has not."""
    head = {"label": {"kind": "classes", "outputs": 2, "reads": "fc7"}}
    (tmp_path / "thin.yaml").write_text(json.dumps(thin_spec(norm=False) | {"heads": head}), encoding="utf-8")
    return "thin.yaml"


def test_a_state_dict_becomes_weights_of_a_spec(lvmc_command: Call, tmp_path: Path, thin: str) -> None:
    net = vgg(norm=False)
    torch.save(net.state_dict(), tmp_path / "vgg.pth")
    done = lvmc_command("import-weights", thin, "vgg.pth", "-o", "thin.safetensors")
    assert (done.status, done.err) == (0, "")
    assert "conv1_1.weight" in done.out
    assert "features.0.weight" in done.out
    assert "from 48×256" in done.out
    assert "30 mapped. Unused: classifier.6.weight, classifier.6.bias." in done.out
    assert "Left as they were: heads.label.fc7.weight, heads.label.fc7.bias." in done.out
    model = lvmc.compile(tmp_path / thin).eval()
    model.load_state_dict(load_file(tmp_path / "thin.safetensors"))
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(model.latents(image)["fc7"].flatten(1), net(image), rtol=1e-4, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_norms_go_with_their_layers_and_negative_scales_are_turned(lvmc_command: Call, tmp_path: Path) -> None:
    net = vgg(norm=True)
    (tmp_path / "thin.yaml").write_text(json.dumps(thin_spec(norm=True)), encoding="utf-8")
    save_file(state_of(net), tmp_path / "vgg.safetensors")
    document = lvmc_command("import-weights", "thin.yaml", "vgg.safetensors", "-o", "w.safetensors", "--json").document
    assert document["path"] == "w.safetensors"
    assert document["mapped"]["conv1_1.norm.running_var"] == "features.1.running_var"
    assert sorted(document["unused"]) == ["classifier.6.bias", "classifier.6.weight"]
    assert (document["kept"], document["folded"]) == ([], [])
    assert document["turned"]["conv1_1"] == int((net.features[1].weight < 0).sum()) > 0
    model = lvmc.compile(tmp_path / "thin.yaml").eval()
    model.load_state_dict(load_file(tmp_path / "w.safetensors"))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(model.latents(image)["fc7"].flatten(1), net(image), rtol=1e-4, atol=1e-4)
    done = lvmc_command("import-weights", "thin.yaml", "vgg.safetensors", "-o", "w.safetensors")
    assert "channels negated: γ < 0" in done.out


def test_norms_are_folded_where_a_spec_has_none(lvmc_command: Call, tmp_path: Path, thin: str) -> None:
    net = vgg(norm=True)
    torch.save(net.state_dict(), tmp_path / "vgg.pth")
    done = lvmc_command("import-weights", thin, "vgg.pth", "-o", "w.safetensors")
    assert "Batch norms folded into conv1_1, conv1_2, " in done.out
    assert "Unused: classifier.6.weight, classifier.6.bias." in done.out
    model = lvmc.compile(tmp_path / thin).eval()
    model.load_state_dict(load_file(tmp_path / "w.safetensors"))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted, found = net(image), model.latents(image)["fc7"].flatten(1)
    assert (found - wanted).abs().max() <= 1e-4 * wanted.abs().max()


def test_a_compiled_folder_keeps_the_weights_that_are_not_mapped(lvmc_command: Call, tmp_path: Path, thin: str) -> None:
    lvmc_command("compile", thin, "-o", "built", "--weights", "--seed", "5")
    torch.save({"epoch": 3, "state_dict": vgg(norm=False).state_dict()}, tmp_path / "vgg.pth")
    assert lvmc_command("import-weights", "built", "vgg.pth", "-o", "deep/w.safetensors").status == 0
    before, after = (load_file(tmp_path / name) for name in ("built/weights.safetensors", "deep/w.safetensors"))
    kept = [name for name, value in before.items() if torch.equal(value, after[name])]
    assert kept == ["heads.label.fc7.bias", "heads.label.fc7.weight"]


def test_layers_start_from_what_was_imported(lvmc_command: Call, tmp_path: Path, thin: str) -> None:
    torch.save(vgg(norm=False).state_dict(), tmp_path / "vgg.pth")
    lvmc_command("import-weights", thin, "vgg.pth", "-o", "w.safetensors")
    values = thin_spec(norm=False)
    values["layers"]["conv1_1"]["init"] = "w.safetensors"
    (tmp_path / "net.yaml").write_text(json.dumps(values), encoding="utf-8")
    state, imported = lvmc.compile(tmp_path / "net.yaml").state_dict(), load_file(tmp_path / "w.safetensors")
    assert [n for n, value in state.items() if torch.equal(value, imported[n])] == ["conv1_1.weight", "conv1_1.bias"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("vgg.pth", None, "no such file"),
        ("vgg.safetensors", None, "no such file"),
        ("vgg.pth", b"nothing", "is no state dict of tensors alone"),
        ("vgg.safetensors", b"nothing", "is no safetensors file"),
        ("vgg.pth", {"layer1.0.weight": torch.zeros(2)}, "torchvision's VGG has features.<n>.weight"),
        ("vgg.pth", {"features": 3}, "'features' is no tensor"),
        ("vgg.pth", {}, "holds no tensor by name"),
        ("vgg.pth", {"features.0.bias": torch.zeros(8)}, "'features.0.bias' comes without its weight"),
        ("vgg.pth", {"features.0.weight": torch.zeros(8)}, "is a batch norm before any convolution"),
        (
            "vgg.pth",
            {"features.0.weight": torch.zeros(8, 3, 3, 3), "features.1.weight": torch.zeros(8)},
            "the batch norm of 'features.1.weight' comes without its bias",
        ),
        ("vgg.pth", {"features.0.weight": torch.zeros(8, 3, 5, 5)}, "'conv1_1.weight' is (8, 3, 3, 3) in the spec"),
        ("vgg.pth", torch.zeros(3), "holds no tensor by name"),
    ],
)
def test_what_does_not_fit_is_reported_and_nothing_is_written(
    lvmc_command: Call, tmp_path: Path, thin: str, name: str, content: object, said: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        torch.save(content, tmp_path / name)
    done = lvmc_command("import-weights", thin, name, "-o", "w.safetensors")
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert name in done.err
    assert not (tmp_path / "w.safetensors").exists()


def test_a_pickle_runs_nothing(lvmc_command: Call, tmp_path: Path, thin: str) -> None:
    class Trap:
        def __reduce__(self) -> object:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"features.0.weight": Trap()}, tmp_path / "vgg.pth")
    assert lvmc_command("import-weights", thin, "vgg.pth", "-o", "w.safetensors").status == 1
    assert not (tmp_path / "sprung").exists()


def test_usage(lvmc_command: Call) -> None:
    assert lvmc_command("import-weights", "qp1_vgg16").status == 2
    assert lvmc_command("import-weights", "qp1_vgg16", "vgg.pth").status == 2
