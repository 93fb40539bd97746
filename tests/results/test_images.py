"""A file becomes the values of an input: right shape, right channels, normalized, and told so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lvmc.graph import InputNode
from lvmc.results import read_block
from lvmc.spec import Normalize


def saved(path: Path, pixels: object, mode: str | None = None) -> Path:
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path)
    return path


def test_values_are_pixels_less_mean_over_deviation(tmp_path: Path) -> None:
    """x = (pixel / range − mean) / std, channel by channel."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 4.0])
    node = InputNode("x", 3, (5, 7), Normalize(range=100.0, mean=tuple(mean), std=tuple(std)))
    read = read_block(saved(tmp_path / "a.png", pixels), node)
    assert np.allclose(read.values[0].transpose(1, 2, 0), (pixels / 100 - mean) / std, atol=1e-5)
    assert read.picture is not None
    assert np.allclose(read.picture, pixels / 255)
    assert read.remarks == ("normalized: (pixel / 100 − mean) / std",)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_channels_are_adapted(tmp_path: Path, mode: str, channels: int) -> None:
    ending = "tif" if mode == "CMYK" else "png"
    path = saved(tmp_path / f"a.{ending}", np.full((4, 6, 3), 255, np.uint8), mode)
    read = read_block(path, InputNode("x", channels, (4, 6), None))
    assert read.values.shape == (1, channels, 4, 6)
    assert np.allclose(read.values, 1.0)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.zeros((4, 4, 4), np.uint8))
    assert (read_block(path, InputNode("x", 1, (4, 4), None)).values == 1).all()


def test_sixteen_bits_keep_their_shades(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.linspace(0, 65535, 16).reshape(4, 4).astype(np.uint16))
    read = read_block(path, InputNode("x", 1, (4, 4), None))
    assert np.allclose(read.values.ravel(), np.linspace(0, 1, 16), atol=1 / 255)


def test_a_turned_photograph_is_turned_back(tmp_path: Path) -> None:
    image = Image.new("L", (6, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_block(tmp_path / "a.jpg", InputNode("x", 1, (6, 4), None)).remarks == ("pixels divided by 255",)


def test_pictures_are_brought_to_size(tmp_path: Path) -> None:
    path, node = saved(tmp_path / "a.png", np.zeros((10, 20), np.uint8)), InputNode("x", 1, (4, 4), None)
    assert read_block(path, node).values.shape == (1, 1, 4, 4)
    assert read_block(path, node, (6, 8)).values.shape == (1, 1, 6, 8)
    assert read_block(path, node, (10, 20)).remarks == ("pixels divided by 255",)


def test_arrays_of_numbers_are_given_as_they_are(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(24, 1, 1))
    np.save(tmp_path / "a.npy", array)
    read = read_block(tmp_path / "a.npy", InputNode("y", 24, (1, 1), Normalize(mean=(9.0,))))
    assert np.allclose(read.values[0], array)
    assert read.picture is None


def test_arrays_of_whole_numbers_are_pixels(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((1, 9, 9), 51, np.uint8))
    assert np.allclose(read_block(tmp_path / "a.npy", InputNode("y", 1, (9, 9), None)).values, 0.2)


@pytest.mark.parametrize("array", [np.zeros((3, 4, 4)), np.zeros(5), np.zeros((1, 2, 3), complex), np.array([[["a"]]])])
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match="does not fill 'y', which is \\(1, 4, 4\\)"):
        read_block(tmp_path / "a.npy", InputNode("y", 1, (4, 4), None))


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_block(tmp_path / "a.npy", InputNode("y", 1, (4, 4), None))
