"""`train.data`: what a model learns from: drawn figures, arrays, COCO annotations, or folders of masks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema

from lvmc.heads.heatmap import Indices, Names
from lvmc.records import Count, Natural, Positive, Record, Share, Text, nearest, number, shown, whole, wrong
from lvmc.values import keyed, listed

Unit = Literal["box"] | float | tuple[int, int]


def _file(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise wrong(f"should be a path, not {shown(value)}", "relative paths begin at the folder of the spec")


FileName = Annotated[str, BeforeValidator(_file), WithJsonSchema({"type": "string"})]


def _unit(value: Any) -> Any:
    pair = listed(value)
    if value == "box" or (number(value) and value > 0):
        return value if value == "box" else float(value)
    if pair is not None and len(pair) == 2 and all(whole(each) and each >= 0 for each in pair) and pair[0] != pair[1]:
        return (pair[0], pair[1])
    fault = f"should be box, a number of pixels, or two point numbers, not {shown(value)}"
    raise wrong(fault, "for example [0, 3]: the distance of these points is the unit of errors")


def _short_unit(unit: Unit | None) -> Any:
    return list(unit) if isinstance(unit, tuple) else unit


UnitField = Annotated[
    Unit,
    BeforeValidator(_unit),
    PlainSerializer(_short_unit),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "box"},
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


def _flip(value: Any) -> Any:
    several = listed(value)
    if several is not None and all(whole(each) and each >= 0 for each in several):
        return tuple(several)
    if isinstance(value, str) and value:
        return value
    fault = f"should list the mirror image of each point, or name an array, not {shown(value)}"
    raise wrong(fault, "for example [1, 0, 2]: the first two points change places")


def _short_flip(flip: tuple[int, ...] | str) -> Any:
    return list(flip) if isinstance(flip, tuple) else flip


FlipField = Annotated[
    tuple[int, ...] | str,
    BeforeValidator(_flip),
    PlainSerializer(_short_flip),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer", "minimum": 0}}]}),
]


def _signs(value: Any) -> tuple[int, ...]:
    several = [value] if whole(value) else listed(value)
    if not several or not all(whole(each) and each in (-1, 1) for each in several):
        fault = f"should be 1 or -1, or a list of them, one a value, not {shown(value)}"
        raise wrong(fault, "for example signs: [-1, 1]: a mirrored picture has minus the first value")
    return tuple(several)


Signs = Annotated[
    tuple[int, ...],
    BeforeValidator(_signs),
    PlainSerializer(list),
    WithJsonSchema({"anyOf": [{"enum": [-1, 1]}, {"type": "array", "items": {"enum": [-1, 1]}, "minItems": 1}]}),
]


class Figures(Record):
    """Stick people drawn from a seed, any number of them, at the size of the input; nothing is read.

    `occluders` is the share of pictures in which something stands before them.
    """

    kind: Literal["figures"]
    count: Count = 4000
    validation: Count = 500
    test: Count = 1000
    occluders: Share = 0.5
    seed: Natural = 0


class Occluders(Record):
    """Names of arrays that say how each picture of an .npz is covered, to test on hidden points.

    The rectangle `box` (n, 4), as x, y, width, height in `scale` pixels, is covered by that of picture `donor` (n,);
    `visible` (n, points) says what stays visible.
    """

    box: Text
    donor: Text
    visible: Text
    scale: Positive = 1.0


class Npz(Record):
    """Arrays of an .npz file, by name.

    `images` (n, h, w) or (n, h, w, channels), `keypoints` (n, points, 2) as x, y, `points3d` (n, points, 3) as right,
    down, depth, nan where unknown, `visible` (n, points), `masks` (n, h, w), `labels` (n,), `split` (n,): 0 train, 1
    validation, 2 test. `points` takes some of the keypoints, in this order; `flip` is their mirror image (numbers, or
    the name of an array for all keypoints). `first_pixel` is what keypoints call the centre of the first pixel, in x
    and y: 0, 0.5 where they count from the picture's edge, 1 from MATLAB. `values` (n,) or (n, D) are numbers that
    vector and density heads learn instead of points; `signs` is what each is multiplied by in a mirrored picture.
    """

    kind: Literal["npz"]
    file: FileName
    images: Text = "images"
    keypoints: Text = "keypoints"
    points3d: Text = "points3d"
    visible: Text = "visible"
    masks: Text = "masks"
    labels: Text = "labels"
    superpixels: Text = "superpixels"
    split: Text = "split"
    validation: Share = 0.1
    points: Indices | None = None
    first_pixel: float = 0.0
    flip: FlipField | None = None
    unit: UnitField | None = None
    values: Text | None = None
    signs: Signs | None = None
    occluders: Occluders | None = None
    broken: Literal["refuse", "skip"] = "refuse"


class CocoFiles(Record):
    """A folder of pictures and their annotations."""

    images: FileName
    annotations: FileName


def _form(value: Any) -> str:
    return "files" if isinstance(value, CocoFiles) or keyed(value) is not None else "share"


FilesOrShare = Annotated[
    Annotated[CocoFiles, Tag("files")] | Annotated[Share, Tag("share")],
    Discriminator(_form),
]


class Coco(Record):
    """Keypoints (and masks) in COCO's JSON, a sample a person: the box, enlarged, is cut out and brought to size.

    `validation` and `test` are further files, or a share of the pictures.
    """

    kind: Literal["coco"]
    images: FileName
    annotations: FileName
    validation: FilesOrShare = 0.1
    test: FilesOrShare = 0.0
    category: Text = "person"
    enlarge: Positive = 1.25
    least_points: Count = 1
    unit: UnitField | None = "box"
    broken: Literal["refuse", "skip"] = "refuse"


def _list_or_share(value: Any) -> Any:
    if isinstance(value, str) and value:
        return value
    if number(value) and 0 <= float(value) <= 1:
        return float(value)
    fault = f"should be a share from 0 to 1, or a file that names pictures, not {shown(value)}"
    raise wrong(fault, "for example 0.1 or validation.txt")


ListOrShare = Annotated[
    str | float,
    BeforeValidator(_list_or_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}),
]


class Masks(Record):
    """A folder of pictures, and one of indexed PNG masks of the same names; 255 does not count.

    `validation` and `test` are shares of the pictures, or files that name them, a line each.
    """

    kind: Literal["masks"]
    images: FileName
    masks: FileName
    validation: ListOrShare = 0.1
    test: ListOrShare = 0.0
    broken: Literal["refuse", "skip"] = "refuse"


DATA: dict[str, type[Record]] = {"figures": Figures, "npz": Npz, "coco": Coco, "masks": Masks}


def long_data(value: Any) -> Any:
    """The mapping that a short form stands for."""
    if isinstance(value, Record) or keyed(value) is not None:
        return value
    if isinstance(value, str) and value.endswith(".npz"):
        return {"kind": "npz", "file": value}
    if value == "figures":
        return {"kind": value}
    if isinstance(value, str) and value in DATA:
        raise wrong(f"data of kind {value} are files, which must be named", f"write {{kind: {value}, images: …}}")
    if isinstance(value, str):
        raise wrong(f"no data are of kind {shown(value)}", nearest(value, DATA))
    raise wrong(f"should be figures, an .npz file or a mapping with a kind, not {shown(value)}", "for example figures")


def _short_data(data: Record) -> Any:
    values = data.model_dump(mode="python", exclude_unset=True)
    if isinstance(data, Npz) and set(values) == {"kind", "file"} and data.file.endswith(".npz"):
        return data.file
    return "figures" if isinstance(data, Figures) and set(values) == {"kind"} else values


Data = Annotated[
    Annotated[Figures | Npz | Coco | Masks, Field(discriminator="kind")],
    BeforeValidator(long_data, json_schema_input_type=str | Figures | Npz | Coco | Masks),
    PlainSerializer(_short_data),
]

__all__ = ["DATA", "Coco", "CocoFiles", "Data", "Figures", "Masks", "Names", "Npz", "Occluders", "Unit"]
