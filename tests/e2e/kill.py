"""The storm at any strength, by hand: `python -m tests.e2e.kill --kills 20 --workflows 200`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.e2e.storm import Plan, run_storm


def main(arguments: list[str]) -> int:
    """Runs a storm and prints its report. Returns the exit code: 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workflows", type=int, default=200)
    parser.add_argument("--worker-kills", type=int, default=3)
    parser.add_argument("--acceptor", choices=("grpc", "pyvoy"), default="grpc")
    parser.add_argument("--worker", choices=("raw", "sdk"), default="raw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--graceful", action="store_true", help="stop the server in good order instead")
    parser.add_argument("--keep", type=Path, help="a folder to work in, which is kept")
    options = parser.parse_args(arguments)
    plan = Plan(
        workflows=options.workflows,
        kills=options.kills,
        worker_kills=options.worker_kills,
        acceptor=options.acceptor,
        worker=options.worker,
        seed=options.seed,
        graceful=options.graceful,
    )
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(run_storm(plan, options.keep))
    else:
        with tempfile.TemporaryDirectory(prefix="tenuto-storm-") as folder:
            report = asyncio.run(run_storm(plan, Path(folder)))
    print(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
