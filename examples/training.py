"""Trains QP1 and QP2 on drawn figures for about a minute, and draws what they say of new ones, before and after.

LVMC_DEMO_EPOCHS says for how many epochs.
"""

import os
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import lvmc
from lvmc.data.sources import open_data
from lvmc.evaluation import evaluate
from lvmc.evaluation.calls import picture_input
from lvmc.evaluation.pictures import draw_overview
from lvmc.evaluation.shown import look
from lvmc.results import save
from lvmc.runtime.module import compiled_of
from lvmc.training import Progress as Told
from lvmc.training import train_spec

OUT = Path("build") / "demo"
EPOCHS = int(os.environ.get("LVMC_DEMO_EPOCHS", "5"))
CHANGES = [f"train.epochs={EPOCHS}", "train.data={kind: figures, count: 1600}"]
SPECS = {f"QP{k}": lvmc.load("qp_figures", changes=[*CHANGES, f"inference.passes={k}"]) for k in (1, 2)}

with Progress() as bar:
    for name, spec in SPECS.items():
        task = bar.add_task(name, total=1.0)

        def tell(told: Told, name: str = name, task: object = task) -> None:
            loss = "" if told.loss is None else f", loss {told.loss:.4f}"
            bar.update(task, description=f"{name}, epoch {told.epoch} of {EPOCHS}{loss}", completed=told.share)

        train_spec(spec, OUT / f"{name}_run", force=True, evaluate_on=(), tell=tell)

models = {"QP2 before": lvmc.compile(SPECS["QP2"])} | {name: lvmc.open(OUT / f"{name}_run") for name in SPECS}
train = SPECS["QP2"].train
test = open_data(train.data, picture_input(compiled_of(models["QP2"]).graph)).test
shown, titles = [], []
say = Console(highlight=False, soft_wrap=True)
for name, model in models.items():
    shown += look(model, test, range(6), train)
    titles += [name] * 6
    figures = evaluate(model, {"test": test}, train).figures
    right, hidden = figures["test/joints/pck"], figures["test/joints/pck_hidden"]
    say.print(f"{name:<10}  joints found on new figures: {right:6.1%}, of the hidden ones {hidden:.1%}  (PCKh@.5)")
say.print(f"  {save(draw_overview(shown, titles), OUT / 'predictions.png')}  predictions before and after")
say.print(f"  {OUT / 'QP2_run'}/  the run: module, weights, logs; try: lvmc eval {OUT / 'QP2_run'}")
