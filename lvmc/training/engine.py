"""Lightning Fabric as a run uses it: devices, precision, and how processes share a model.

The loop stays ours, since stages and exact resume order everything in it; Fabric knows devices, mixed precision,
processes and how gradients meet. Emitted modules stay plain: nothing of this is in them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import (
        _FabricModule as FabricModule,  # pyright: ignore[reportPrivateUsage]: what `setup_module` returns
    )
    from torch import nn
    from torch.distributed.device_mesh import DeviceMesh

Strategy = Literal["auto", "ddp", "fsdp"]
Accelerator = Literal["auto", "cpu", "cuda"]

_PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}


def fabric_of(train: Train, devices: int, strategy: Strategy, accelerator: Accelerator) -> Fabric:
    """Fabric for a run, launched: on `devices` of this machine, or as torchrun started it.

    Raises:
        ValueError: The precision needs a GPU.
    """
    import torch
    from lightning_fabric import Fabric

    if train.precision == "float16" and (accelerator == "cpu" or not torch.cuda.is_available()):
        raise ValueError("train.precision: float16 needs a GPU; write bfloat16 or float32")
    devices, nodes = _started_by_torchrun() or (devices, 1)
    with _quiet():
        fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy=_strategy(strategy, devices * nodes),
            precision=_PRECISIONS[train.precision],  # pyright: ignore[reportArgumentType]: one of its names
        )
        fabric.launch()
    torch.backends.cudnn.benchmark = fabric.device.type == "cuda"  # batches are of one size
    return fabric


def ready(fabric: Fabric, model: nn.Module) -> FabricModule:
    """The model on its device, shared among the processes: what is called in training.

    State names stay those of `model`, whose parameters move or become shards in place. A filter that is used twice is
    one parameter: gathered once before the forward pass, its gradients summed once after the backward one.
    """
    if fabric.world_size > 1:
        from lvmc.training.synced_norms import synchronise_norms

        synchronise_norms(model)
        _lay_out(model)
    return fabric.setup_module(model)


def freeze_unreached(model: nn.Module, backward: Callable[[], None]) -> None:
    """Stop gradients of parameters that a backward pass does not reach: processes would wait for them forever."""
    was_training = model.training
    model.eval()
    backward()
    model.train(was_training)
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.grad is not None)
        parameter.grad = None


def leave() -> None:
    """End the group of processes, if there is one."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def is_outside_launch() -> bool:
    """Whether something else (torchrun, or another process of lvmc) has started the processes of this run."""
    return "LOCAL_RANK" in os.environ


def is_first() -> bool:
    """Whether this process is the one that writes files, as far as its environment says."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


def _started_by_torchrun() -> tuple[int, int] | None:
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def _strategy(strategy: Strategy, world: int) -> Any:
    if world == 1:
        return "auto"
    if strategy == "fsdp":
        from lightning_fabric.strategies.model_parallel import ModelParallelStrategy

        return ModelParallelStrategy(_shard, data_parallel_size=world, tensor_parallel_size=1)
    from inspect import signature

    from lightning_fabric.strategies.ddp import DDPStrategy
    from torch.nn.parallel import DistributedDataParallel

    # running statistics are the same everywhere, as norms are synchronised; torch has renamed the option
    new, old = "forward_sync_buffers", "broadcast_buffers"
    options: dict[str, Any] = {new if new in signature(DistributedDataParallel).parameters else old: False}
    return DDPStrategy(**options)


def _lay_out(model: nn.Module) -> None:
    """Give 1×1 filters the strides that their gradients have: both are contiguous, but DDP compares them."""
    for parameter in model.parameters():
        if parameter.dim() == 4 and parameter.shape[2:] == (1, 1):
            parameter.data = parameter.data.flatten(1).reshape(parameter.shape)


def _shard(model: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """FSDP2 over the module as a whole.

    Its methods use filters of all layers wherever the passes need them, so all are gathered before a forward pass;
    what is sharded are gradients, the optimiser's state, and the parameters in between.
    """
    from torch.distributed.fsdp import fully_shard

    for parameter in model.parameters():
        parameter.data = parameter.data.contiguous()  # which FSDP2 asks for
    return fully_shard(model, mesh=mesh["data_parallel"])  # pyright: ignore[reportReturnType]: the same module


@contextmanager
def _quiet() -> Generator[None]:
    """Without Fabric's remarks on how it was launched."""
    import logging

    names = ("lightning_fabric", "lightning.fabric")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
