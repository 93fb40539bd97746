"""A further process of a run: `python -m lvmc.training.worker`, with its job on standard input."""

from __future__ import annotations

import json
import sys
from io import StringIO

from lvmc.loading import load
from lvmc.training.order import order_of
from lvmc.training.processes import MISTAKE
from lvmc.training.session import session


def main() -> int:
    """Do the job as process LOCAL_RANK of the run; its status says whether a mistake of the user's stopped it."""
    job = json.load(sys.stdin)
    try:
        session(load(StringIO(job["spec"])), order_of(job["order"]))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return MISTAKE
    return 0


if __name__ == "__main__":
    sys.exit(main())
