"""The closed table of ops."""

from lvmc.ir.ops.arithmetic import (
    Add,
    AddChannel,
    ClipUnit,
    Constant,
    DivChannel,
    DivFilter,
    Positive,
    Rectify,
    Select,
    Sigmoid,
    Zeros,
)
from lvmc.ir.ops.base import Array, Context, Op
from lvmc.ir.ops.constraints import SafeScale, ScaleFilter
from lvmc.ir.ops.groups import ClampedKey, Gain, Keep, MaxWindows, Spread, Take, Winners
from lvmc.ir.ops.laterals import AddScalar, AddScaled, LateralBound, SymmetricTaps
from lvmc.ir.ops.lifting import Beliefs, Columns, Confidence, Gradient, LiftPoints, Peaks
from lvmc.ir.ops.losses import DistanceLoss, KnownLoss, LogisticLoss, SoftmaxLoss, Weighted
from lvmc.ir.ops.messages import Adjoint, Correlate, RepeatWindows, SumWindows
from lvmc.ir.ops.norms import MessageNorm, Moments, NormBias, NormDiagonal, RunningMoments
from lvmc.ir.ops.readout import MeanPlane, Reshape, Stack, Upsample, UpsampleMode
from lvmc.ir.ops.score import Entropy, Inner, InnerChannel, Largest, LargestChange, MinusDiagonal, SelfTerm
from lvmc.ir.ops.slopes import Between, Nonzero, Ones, SigmoidSlope, Times

OPS: tuple[type[Op], ...] = (
    Constant, Zeros, Add, AddChannel, DivChannel, DivFilter, Rectify, Sigmoid, ClipUnit, Select, Positive,
    Correlate, Adjoint, SumWindows, RepeatWindows,
    Gain, ClampedKey, Winners, Keep, Take, Spread, MaxWindows,
    SymmetricTaps, LateralBound, AddScaled, AddScalar,
    SafeScale, ScaleFilter,
    Moments, RunningMoments, NormDiagonal, NormBias, MessageNorm,
    Upsample, MeanPlane, Reshape, Stack,
    Inner, InnerChannel, SelfTerm, MinusDiagonal, Entropy, LargestChange, Largest,
    Between, Nonzero, Ones, SigmoidSlope, Times,
    Peaks, Confidence, LiftPoints, Columns, Beliefs,
    LogisticLoss, SoftmaxLoss, DistanceLoss, KnownLoss, Weighted,
)  # fmt: skip

__all__ = [
    "OPS", "Add", "AddChannel", "AddScalar", "AddScaled", "Adjoint", "Array", "Beliefs", "Between", "ClampedKey",
    "ClipUnit", "Columns", "Confidence", "Constant", "Context", "Correlate", "DistanceLoss", "DivChannel",
    "DivFilter", "Entropy", "Gain", "Gradient", "Inner", "InnerChannel", "Keep", "KnownLoss", "Largest",
    "LargestChange", "LateralBound", "LiftPoints", "LogisticLoss", "MaxWindows", "MeanPlane", "MessageNorm",
    "MinusDiagonal", "Moments", "Nonzero", "NormBias", "NormDiagonal", "Ones", "Op", "Peaks", "Positive", "Rectify",
    "RepeatWindows", "Reshape", "RunningMoments", "SafeScale", "ScaleFilter", "Select", "SelfTerm", "Sigmoid",
    "SigmoidSlope", "SoftmaxLoss", "Spread", "Stack", "SumWindows", "SymmetricTaps", "Take", "Times", "Upsample",
    "UpsampleMode", "Weighted", "Winners", "Zeros",
]  # fmt: skip
