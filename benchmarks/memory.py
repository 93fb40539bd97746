"""Peak memory of a piece of work, exactly: every allocation and release that torch's CPU allocator reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate

from torch.profiler import ProfilerActivity, profile

MIB = 2**20


def peak_bytes(work: Callable[[], object]) -> int:
    """Bytes alive at the worst moment of `work`, above those alive before it.

    What already exists (parameters, gradients kept in place, optimiser state) does not count; temporaries inside
    operators do. Memory that libraries allocate for themselves (oneDNN's scratchpads) is not seen.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    results = profiler.profiler.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    return highest(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns()))


def highest(changes: Iterable[int]) -> int:
    """The largest running sum of allocations (positive) and releases (negative); at least 0."""
    return max(accumulate(changes, initial=0))
