"""Density heads as PyTorch expressions."""

from __future__ import annotations

from lvmc.codegen.expressions import Expression, Site, Writer, call, method

from lvmc.ir import ops


def _linear(site: Site, op: ops.Linear) -> Expression:
    return Expression(f"{site.attributes.owner(site.equation.args[1])}({site.args[0].text})")


def _add_each(site: Site, op: ops.AddEach) -> Expression:
    return Expression(f"{site.args[0].operand}.unsqueeze(-2) + {site.args[1].text}", atomic=False)


def _candidates(site: Site, op: ops.Candidates) -> Expression:
    first = f"{site.args[0].operand}[:, None]"
    return Expression(f"torch.cat(({first}, {site.args[1].text}), 1)" if len(site.args) == 2 else first)


def _importance(site: Site, op: ops.ImportanceLoss) -> Expression:
    sigmas = [list(sigma) for sigma in op.sigmas]
    return Expression(f"importance_loss({site.args[0].text}, {site.args[1].text}, {sigmas!r})")


def _family(site: Site, op: ops.FamilyLog) -> Expression:
    return Expression(f"{op.family}_log({site.args[0].text}, {site.args[1].text})")


def _bins(function: str) -> Writer:
    """A call whose last arguments are the bins."""

    def write(site: Site, op: ops.BinsLog | ops.BinsMean | ops.BinsPenalty) -> Expression:
        given = ", ".join([*(arg.text for arg in site.args), str(op.bins), repr(op.low), repr(op.high)])
        weights = f", {op.l2!r}, {op.variance!r}" if isinstance(op, ops.BinsPenalty) else ""
        return Expression(f"{function}({given}{weights})")

    return write


def _leading(site: Site, op: ops.Leading) -> Expression:
    return Expression(f"{site.args[0].operand}[..., :{op.count}]")


WRITERS: dict[type[ops.Op], Writer] = {
    ops.Linear: _linear,
    ops.AddEach: _add_each,
    ops.Tanh: call("torch.tanh"),
    ops.Squeeze: method(".squeeze(-1)"),
    ops.Candidates: _candidates,
    ops.ImportanceLoss: _importance,
    ops.FamilyLog: _family,
    ops.BinsLog: _bins("bins_log"),
    ops.BinsMean: _bins("bins_mean"),
    ops.BinsPenalty: _bins("bins_penalty"),
    ops.Leading: _leading,
    ops.MinusMean: call("minus_mean"),
}
