"""Hand-written specs that use every key of the language, in its short and its long form."""

from __future__ import annotations

from .train_texts import TRAIN_OTHERS, TRAIN_SHORT_AND_LONG

SHORT_AND_LONG: dict[str, tuple[str, str]] = {
    "sizes": (
        """
        inputs: {image: {channels: 3, size: 16}}
        layers: {h1: {channels: 4, filter: 3}}
        """,
        """
        description: ""
        inputs: {image: {channels: 3, size: [16, 16], normalize: }}
        filters: {}
        layers:
          h1:
            channels: 4
            from: image
            filter: [3, 3]
            stride: 1
            dilation: [1, 1]
            padding: same
            padding_mode: zeros
            replicate: 1
            nms: none
            unit: rectified
            upper: none
            diagonal: 1.0
            bias: true
            lateral: none
            norm: none
            init: he
        inference: {passes: 2, gradient: unrolled, tying: tied, constraint: none}
        heads: {}
        train:
        """,
    ),
    "couplings": (
        """
        inputs: {image: {channels: 3, size: 16}, other: {channels: 3, size: 16}}
        inference: {until: {residual: 0.001}, gradient: implicit}
        filters: {edges: {size: 3}}
        layers:
          h1: {channels: 4, filter: edges}
          h2: {channels: 4, from: h1, filter: 3, stride: 2, padding: 1, padding_mode: circular}
          h3: {channels: 4, from: {h2: , h1: {stride: 2, padding: [0, 1]}}, filter: [1, 3]}
          h4: {channels: 4, filter: full}
        """,
        """
        inputs: {image: {channels: 3, size: [16, 16]}, other: {channels: 3, size: [16, 16]}}
        inference: {until: {residual: 1e-3, max_passes: 200}, gradient: implicit}
        filters: {edges: {size: [3, 3], init: he}}
        layers:
          h1: {channels: 4, from: {image: {filter: edges}, other: {filter: edges}}}
          h2:
            channels: 4
            from: {h1: {filter: [3, 3], stride: [2, 2], padding: [1, 1], padding_mode: circular, dilation: 1}}
          h3: {channels: 4, from: {h2: {filter: [1, 3]}, h1: {filter: [1, 3], stride: [2, 2], padding: [0, 1]}}}
          h4: {channels: 4, from: h3, filter: full, padding: 0, stride: [1, 1]}
        """,
    ),
    "groups": (
        """
        inputs: {image: {channels: 3, size: [8, 16]}}
        layers:
          h1: {channels: 4, filter: 3, nms: 2}
          h2: {channels: 4, filter: 3, nms: [1, 2]}
          h3: {channels: 4, filter: 3, nms: {channels: 2}}
          h4: {channels: 4, filter: 3, nms: {window: 2, winner: first}}
          h5: {channels: 4, filter: 3, replicate: 1}
        """,
        """
        inputs: {image: {channels: 3, size: [8, 16]}}
        layers:
          h1: {channels: 4, filter: 3, nms: {window: 2}}
          h2: {channels: 4, filter: 3, nms: {window: [1, 2], channels: 1, winner: every}, replicate: 2}
          h3: {channels: 4, filter: 3, nms: {window: 1, channels: 2, winner: every}, replicate: [1, 2]}
          h4: {channels: 4, filter: 3, nms: {window: [2, 2], channels: 1, winner: first}}
          h5: {channels: 4, from: {h4: {replicate: [1, 1]}}, filter: 3}
        """,
    ),
    "units": (
        """
        layers:
          h1: {channels: 2, from: none, size: 8, diagonal: 2, upper: 1}
          h2: {channels: 2, filter: 3, unit: gaussian, diagonal: learned, bias: false, lateral: {filter: 3}}
          h3: {channels: 2, filter: 3, unit: boltzmann}
          h4: {channels: 2, filter: 3, norm: drive}
          h5: {channels: 2, filter: 3, norm: {kind: message, eps: 1e-3}}
        """,
        """
        inputs: {}
        layers:
          h1: {channels: 2, from: none, size: [8, 8], diagonal: [2.0, 2.0], upper: 1.0}
          h2: {channels: 2, filter: 3, unit: gaussian, diagonal: learned, bias: false, lateral: {filter: [3, 3]}}
          h3: {channels: 2, filter: 3, unit: boltzmann, upper: none, lateral: none, norm: none}
          h4: {channels: 2, filter: 3, norm: {kind: drive}}
          h5: {channels: 2, filter: 3, norm: {kind: message, eps: 0.001, momentum: 0.1}}
        """,
    ),
    "inits": (
        """
        inputs: {image: {channels: 1, size: 8, normalize: {mean: [0.5]}}}
        filters: {edges: {size: 3, init: {normal: 0.1}}}
        layers:
          h1: {channels: 2, filter: edges, init: zeros}
          h2: {channels: 2, filter: 3, init: {normal: 0.01}}
          h3: {channels: 2, filter: 3, init: {bias: {normal: 0}}}
          h4: {channels: 2, filter: 3, init: some/h4.safetensors}
        inference: {passes: 3, constraint: copositive}
        """,
        """
        inputs: {image: {channels: 1, size: 8, normalize: {range: 255, mean: [0.5]}}}
        filters: {edges: {size: 3, init: {normal: 1e-1}}}
        layers:
          h1: {channels: 2, filter: edges, init: {weight: zeros, bias: zeros}}
          h2: {channels: 2, filter: 3, init: {weight: {normal: 0.01}, bias: zeros}}
          h3: {channels: 2, filter: 3, init: {weight: he, bias: {normal: 0.0}}}
          h4: {channels: 2, filter: 3, init: {weight: he, file: some/h4.safetensors}}
        inference: {passes: 3, tying: tied, constraint: copositive}
        """,
    ),
    "heads": (
        """
        inputs: {image: {channels: 1, size: 8, normalize: {range: 1, mean: [0.5], std: [0.25]}}}
        layers: {h1: {channels: 2, filter: 3}, h2: {channels: 2, filter: full}}
        heads:
          points: {kind: heatmap, channels: 2, reads: {h2: {map: 2}, h1: 3}, points: {names: [a, b], flip: [1, 0]}}
          parts: {kind: segmentation, channels: 2, reads: h1, at: each}
          label: {kind: classes, outputs: 3, reads: [h1, h2], weight: 2}
          value: {kind: vector, outputs: 3, reads: h1, pool: mean, at: 1}
        inference: {tying: untied}
        """,
        """
        inputs: {image: {channels: 1, size: [8, 8], normalize: {range: 1.0, mean: [0.5], std: [0.25]}}}
        layers: {h1: {channels: 2, filter: 3}, h2: {channels: 2, filter: full}}
        heads:
          points:
            kind: heatmap
            channels: 2
            reads: {h2: {filter: 1, map: [2, 2]}, h1: {filter: [3, 3]}}
            upsample: bilinear
            loss: logistic
            at: last
            points: {names: [a, b], flip: [1, 0]}
          parts:
            {kind: segmentation, channels: 2, reads: [h1], at: each, loss: softmax, weight: 1.0, upsample: bilinear}
          label: {kind: classes, outputs: 3, reads: {h1: 1, h2: [1, 1]}, weight: 2.0, loss: softmax}
          value: {kind: vector, outputs: 3, reads: [h1], pool: mean, at: 1, loss: l2}
        inference: {passes: 2, tying: untied}
        """,
    ),
    "densities": (
        """
        inputs: {image: {channels: 1, size: 8}}
        layers: {h1: {channels: 2, filter: 3}, h2: {channels: 2, filter: full}}
        heads:
          age: {kind: density, dims: 1, reads: h2, sigmas: [0.1, 20]}
          box: {kind: density, dims: 2, reads: [h1, h2], sigmas: [0.1, [1, 2]], refine: {step: [0.1, 0.4]}, pool: mean}
          near: {kind: density, model: gaussian, dims: 2, reads: h2}
          bins: {kind: density, model: softmax, dims: 1, reads: h2, bins: 10, range: [0, 100], l2: 1}
        """,
        """
        inputs: {image: {channels: 1, size: [8, 8]}}
        layers: {h1: {channels: 2, filter: 3}, h2: {channels: 2, filter: full}}
        heads:
          age:
            kind: density
            model: energy
            dims: 1
            reads: [h2]
            target: [10, 10]
            joint: [10, 10]
            activation: relu
            samples: 128
            sigmas: [[0.1], 20.0]
            refine: {steps: 10, step: 0.1, decay: 0.5}
            loss: nll
          box:
            kind: density
            dims: 2
            reads: {h1: 1, h2: 1}
            sigmas: [[0.1], [1.0, 2.0]]
            refine: {steps: 10, step: [0.1, 0.4], decay: 0.5}
            pool: mean
          near: {kind: density, model: gaussian, dims: 2, reads: h2, loss: nll, weight: 1, at: last}
          bins:
            {kind: density, model: softmax, dims: 1, reads: h2, bins: 10, range: [0.0, 1e2], l2: 1.0, variance: 0}
        """,
    ),
    **TRAIN_SHORT_AND_LONG,
}
"""Pairs of specs that mean the same."""

OTHERS: dict[str, str] = {
    "head choices": """
        inputs: {image: {channels: 1, size: 8}}
        layers: {h1: {channels: 2, filter: 3, dilation: 2}, h2: {channels: 2, filter: 2, padding: 0, stride: [2, 1]}}
        heads:
          points:
            {kind: heatmap, channels: 3, reads: [h1], upsample: fcn, loss: l2, points: {skeleton: [[0, 1]]}, weight: 3}
          parts: {kind: segmentation, channels: 2, reads: h1, upsample: nearest, classes: [skin, "on"]}
          value: {kind: vector, outputs: 3, reads: h1, loss: l1, weight: 0.5}
          label: {kind: classes, outputs: 2, reads: [h1, h2], pool: mean, at: 2}
        """,
    "constraint": """
        inputs: {image: {channels: 1, size: 8}}
        layers: {h1: {channels: 2, filter: 3}, h2: {channels: 2, filter: 3}}
        inference: {constraint: contractive}
        """,
    "feedback": """
        state:
          pose: {points: 2, init: start.npz}
          maps: {channels: 2, size: [4, 8], init: zeros}
        inputs:
          image: {channels: 1, size: 8}
          belief: {render: pose, as: gaussian, sigma: 2, extra: [marker], truncate: 3, scale: 100, offset: -50, size: 8}
          seen: {render: maps}
        layers: {h1: {channels: 2, filter: 3, from: image}, h2: {channels: 2, filter: 3, from: belief}}
        heads: {moves: {kind: vector, outputs: 4, reads: h2}, heat: {kind: heatmap, channels: 2, reads: h1}}
        feedback:
          update: {pose: {add: moves, bound: 20, norm: each, scale: 2}, maps: {set: heat}}
          steps: 2
          tying: untied
          gradient: stopped
          stop: 0.1
        """,
    "text": """
        description: "a 'quoted' \\"text\\" of two lines:\\n- of #words: 1e-3, {} and null"
        layers: {h1: {channels: 1, from: none, size: 1}}
        """,
    **TRAIN_OTHERS,
}
"""What has no other form."""
