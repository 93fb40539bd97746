"""The rewrites that a program goes through, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lvmc.errors import RewriteError
from lvmc.ir import Program, verify
from lvmc.rewrites.dead_code import dead_code
from lvmc.rewrites.fold_bias import fold_bias
from lvmc.rewrites.fold_scale import fold_scale
from lvmc.rewrites.max_pool import max_pool
from lvmc.rewrites.pool_before_add import pool_before_add
from lvmc.rewrites.pool_groups import pool_groups
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.rewrites.shift_after_pool import shift_after_pool
from lvmc.rewrites.unit_diagonal import unit_diagonal
from lvmc.rewrites.zero_messages import zero_messages

Rewrite = Callable[[Program], Program]

DEFAULT: tuple[Rewrite, ...] = (
    zero_messages,
    share_equal_values,
    unit_diagonal,
    dead_code,
    pool_groups,
    shift_after_pool,
    pool_before_add,
    max_pool,
    fold_bias,
    fold_scale,
    share_equal_values,
)


def rewrite(program: Program, rewrites: tuple[Rewrite, ...] = DEFAULT) -> Program:
    """The program after all rewrites.

    Raises:
        RewriteError: A rewrite broke the program; its name is in the message.
    """
    *_, (_, last) = [("", program), *stages(program, rewrites)]
    return last


def stages(program: Program, rewrites: tuple[Rewrite, ...] = DEFAULT) -> Iterator[tuple[str, Program]]:
    """Each rewrite's name with the program after it."""
    for each in rewrites:
        name = str(getattr(each, "__name__", each))
        try:
            program = each(program)
            verify(program)
        except Exception as error:
            raise RewriteError(f"{name} broke {program.name}: {error}") from error
        yield name, program
