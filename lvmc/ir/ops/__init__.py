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
from lvmc.ir.ops.densities import (
    BinsLog,
    BinsMean,
    BinsPenalty,
    Candidates,
    FamilyLog,
    ImportanceLoss,
    Leading,
    MinusMean,
)
from lvmc.ir.ops.groups import ClampedKey, Gain, Keep, MaxWindows, Spread, Take, Winners
from lvmc.ir.ops.laterals import AddScalar, AddScaled, LateralBound, SymmetricTaps
from lvmc.ir.ops.lifting import Beliefs, Columns, Confidence, Gradient, LiftPoints, Peaks
from lvmc.ir.ops.losses import DistanceLoss, KnownLoss, LogisticLoss, SoftmaxLoss, Weighted
from lvmc.ir.ops.messages import Adjoint, Correlate, RepeatWindows, SumWindows
from lvmc.ir.ops.norms import MessageNorm, Moments, NormBias, NormDiagonal, RunningMoments
from lvmc.ir.ops.perceptron import AddEach, Linear, Squeeze, Tanh
from lvmc.ir.ops.readout import MeanPlane, Reshape, Stack, Upsample, UpsampleMode
from lvmc.ir.ops.score import Entropy, Inner, InnerChannel, Largest, LargestChange, MinusDiagonal, SelfTerm
from lvmc.ir.ops.slopes import Between, Nonzero, Ones, SigmoidSlope, Times
from lvmc.ir.ops.states import Move, Render

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
    Render, Move,
    Peaks, Confidence, LiftPoints, Columns, Beliefs,
    LogisticLoss, SoftmaxLoss, DistanceLoss, KnownLoss, Weighted,
    Linear, AddEach, Tanh, Squeeze,
    Candidates, ImportanceLoss, FamilyLog, BinsLog, BinsMean, BinsPenalty, Leading, MinusMean,
)  # fmt: skip

__all__ = [
    "OPS", "Add", "AddChannel", "AddEach", "AddScalar", "AddScaled", "Adjoint", "Array", "Beliefs", "Between",
    "BinsLog", "BinsMean", "BinsPenalty", "Candidates", "ClampedKey", "ClipUnit", "Columns", "Confidence",
    "Constant", "Context", "Correlate", "DistanceLoss", "DivChannel", "DivFilter", "Entropy", "FamilyLog", "Gain",
    "Gradient", "ImportanceLoss", "Inner", "InnerChannel", "Keep", "KnownLoss", "Largest", "LargestChange",
    "LateralBound", "Leading", "LiftPoints", "Linear", "LogisticLoss", "MaxWindows", "MeanPlane", "MessageNorm",
    "MinusDiagonal", "MinusMean", "Moments", "Move", "Nonzero", "NormBias", "NormDiagonal", "Ones", "Op", "Peaks",
    "Positive", "Rectify", "Render", "RepeatWindows", "Reshape", "RunningMoments", "SafeScale", "ScaleFilter",
    "Select", "SelfTerm", "Sigmoid", "SigmoidSlope", "SoftmaxLoss", "Spread", "Squeeze", "Stack", "SumWindows",
    "SymmetricTaps", "Take", "Tanh", "Times", "Upsample", "UpsampleMode", "Weighted", "Winners", "Zeros",
]  # fmt: skip
