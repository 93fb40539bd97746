"""Compile a model of the zoo, run it, train it one step, and look inside: the README's example."""

import torch

import lvmc

model = lvmc.compile("qp_faces")  # or a path: lvmc.compile("my_model.yaml")
image, target = torch.rand(4, 1, 64, 64), torch.zeros(4, 68, 64, 64)

heads = model(image)  # {"keypoints": (4, 68, 64, 64)}
sum(model.losses(heads, {"keypoints": target}).values()).backward()

z = model.latents(image)  # {"h1": (4, 32, 64, 64), …, "h5": …} after the last update
print("score of each image:", model.score(image, z).tolist())

trace = lvmc.trace(model, image)  # the score after every update: it never falls
print("score, update by update:", trace.score.mean(1).round())

print("drawn:", lvmc.draw("qp_faces", "qp_faces.svg"))
