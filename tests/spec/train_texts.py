"""Hand-written `train` sections that use every key of it."""

from __future__ import annotations

TRAIN_SHORT_AND_LONG: dict[str, tuple[str, str]] = {
    "train": (
        """
        inputs: {image: {channels: 3, size: 32}}
        layers: {h1: {channels: 4, filter: 3}, h2: {channels: 4, filter: 3, nms: 2}}
        heads: {keypoints: {kind: heatmap, channels: 16, reads: [h2, h1]}}
        train:
          data: figures
          optimizer: adam
          augment: none
          stages: [{epochs: 5, reads: {keypoints: h2}}, {epochs: 5}]
        """,
        """
        inputs: {image: {channels: 3, size: [32, 32]}}
        layers: {h1: {channels: 4, filter: 3}, h2: {channels: 4, filter: 3, nms: 2}}
        heads: {keypoints: {kind: heatmap, channels: 16, reads: [h2, h1]}}
        train:
          data: {kind: figures, count: 4000, validation: 500, test: 1000, occluders: 0.5, seed: 0}
          batch: 32
          accumulate: 1
          optimizer: {kind: adam, rate: 3e-3, decay: 1e-4}
          schedule: one-cycle
          rates: {}
          clip:
          precision: float32
          augment: {flip: 0, rotate: 0, scale: 0, shift: 0, brightness: 0, contrast: 0, saturation: 0, occlude: 0}
          targets: {}
          path: predicted
          evaluate: {pck: 0.1, decode: centroid, window: 3, mirror: false, every: 1, watch: loss, steps: }
          stages:
          - {epochs: 5, reads: {keypoints: [h2]}, rate: , passes: , steps: }
          - {epochs: 5, reads: }
          patience:
          readouts: normal
          init:
          workers: 0
          seed: 0
        """,
    ),
    "train on arrays": (
        """
        inputs: {image: {channels: 1, size: 64}}
        layers: {h1: {channels: 4, filter: 3}, h2: {channels: 4, filter: 3}}
        heads: {keypoints: {kind: heatmap, channels: 3, reads: [h2, h1]}}
        train: {data: faces.npz, optimizer: sgd, augment: {flip: 0}}
        """,
        """
        inputs: {image: {channels: 1, size: 64}}
        layers: {h1: {channels: 4, filter: 3}, h2: {channels: 4, filter: 3}}
        heads: {keypoints: {kind: heatmap, channels: 3, reads: [h2, h1]}}
        train:
          data:
            {kind: npz, file: faces.npz, broken: refuse, validation: 0.1, points: , first_pixel: 0, flip: , unit: ,
             occluders: }
          epochs: 20
          optimizer: {kind: sgd, rate: 0.01, momentum: 0.9, decay: 5e-4}
          augment:
            {flip: 0, rotate: 15, scale: 0.15, shift: 0.05, brightness: 0.1, contrast: 0.2, occluder: [0.2, 0.6]}
        """,
    ),
}
"""Pairs of specs that mean the same."""

TRAIN_OTHERS: dict[str, str] = {
    "train in steps": """
        state: {pose: {points: 16}}
        inputs: {image: {channels: 3, size: 32}, belief: {render: pose, sigma: 2}}
        layers: {h1: {channels: 4, filter: 3}}
        heads: {moves: {kind: vector, outputs: 32, reads: h1}}
        feedback: {update: {pose: {add: moves, bound: 4}}, steps: 2}
        train:
          path: fixed
          evaluate: {watch: pose/nme, steps: 5}
          stages: [{epochs: 2, steps: 1}, {epochs: 2}]
        """,
    "train choices": """
        inputs: {image: {channels: 1, size: 64}}
        layers: {h1: {channels: 4, filter: 3}, h2: {channels: 4, filter: 3}}
        heads:
          keypoints: {kind: heatmap, channels: 3, reads: [h2, h1], points: {flip: [1, 0, 2]}}
          pose: {kind: vector, outputs: 6, reads: h2}
        train:
          data:
            kind: npz
            file: faces.npz
            images: frames
            keypoints: points
            points3d: poses
            visible: seen
            masks: parts
            labels: people
            superpixels: pieces
            split: parts
            validation: 0
            points: [36, 45, 30]
            first_pixel: 0.5
            flip: [1, 0, 2]
            unit: [0, 1]
            occluders: {box: occ_box128, donor: occ_donor, visible: visible_under_occ, scale: 0.5}
            broken: skip
          schedule: {steps: [20, 30], factor: 0.5}
          rates: {heads.keypoints.h1: 0.1, h1: 0}
          clip: 1
          precision: bfloat16
          targets: {keypoints: {radius: 0.5, unannotated: ignore, hidden: background}, pose: {hidden: ignore}}
          evaluate: {pck: 0.05, decode: peak, window: 2, mirror: true, every: 5, watch: keypoints/nme}
          stages: [{epochs: 5, rate: 1e-4, passes: 1}]
          patience: 3
          readouts: zeros
          init: before.safetensors
          workers: 4
          seed: 7
        """,
    "train on COCO": """
        inputs: {image: {channels: 3, size: 64}}
        layers: {h1: {channels: 4, filter: 3}}
        heads: {keypoints: {kind: heatmap, channels: 17, reads: h1}}
        train:
          data:
            kind: coco
            images: train
            annotations: train.json
            validation: {images: val, annotations: val.json}
            test: 0.1
            category: horse
            enlarge: 1.5
            least_points: 4
            unit: 10
            broken: skip
          augment: {saturation: 0.5, occlude: 0.3, occluder: [0.1, 0.1]}
          targets: {keypoints: {pixels: 2}}
          schedule: cosine
        """,
    "train on values": """
        inputs: {image: {channels: 3, size: 64}}
        layers: {h1: {channels: 4, filter: 3}}
        heads: {age: {kind: density, dims: 1, reads: h1, pool: mean, sigmas: [0.1, 20], range: [0, 100]}}
        train:
          data: {kind: npz, file: ages.npz, values: years, signs: [1, -1]}
          targets: {age: {values: [0]}}
        """,
    "train on masks": """
        inputs: {image: {channels: 3, size: 64}}
        layers: {h1: {channels: 4, filter: 3}}
        heads: {parts: {kind: segmentation, channels: 6, reads: h1}}
        train:
          data: {kind: masks, images: pictures, masks: masks, validation: val.txt, test: 0.25, broken: skip}
          optimizer: {rate: 1e-3}
          schedule: constant
        """,
    "nothing but train": """
        inputs: {image: {channels: 3, size: 64}}
        layers: {h1: {channels: 4, filter: 3}}
        heads: {parts: {kind: segmentation, channels: 6, reads: h1}}
        train: {}
        """,
}
"""What has no other form."""
