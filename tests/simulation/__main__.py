"""Runs many seeds on all cores, or one seed with its trace.

python -m tests.simulation --seeds 1000 [--first 1] [--processes 2] [--fail-fast]
python -m tests.simulation --seed 17 [--trace]

Prints each failing seed with what the checkers found; exits 1 if any failed. A seed fails the same way every time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator

from .scenario import scenario_of
from .simulation import Outcome, run_seed, simulate

SHOWN_PROBLEMS_MAX = 20


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", help="only this one, with its scenario")
    parser.add_argument("--trace", action="store_true", help="with --seed: print all that happened")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first failing seed")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return _one(arguments.seed, trace=arguments.trace)
    return _many(range(arguments.first, arguments.first + arguments.seeds), arguments.processes, arguments.fail_fast)


def _one(seed: str, *, trace: bool) -> int:
    print(scenario_of(seed))
    began = time.process_time()
    outcome = simulate(seed, keep_trace=trace)
    for line in outcome.trace:
        print(line)
    print(f"{outcome.summary}; {outcome.virtual_s:.1f} virtual s, {outcome.steps} steps, hash {outcome.hash:08x}")
    print(f"{time.process_time() - began:.3f} s of CPU")
    _show(outcome)
    return 1 if outcome.problems else 0


def _many(seeds: range, processes: int, fail_fast: bool) -> int:
    began = time.monotonic()
    failed = done = steps = 0
    virtual_s = 0.0
    for outcome in _outcomes(seeds, processes):
        done += 1
        steps += outcome.steps
        virtual_s += outcome.virtual_s
        if outcome.problems:
            failed += 1
            _show(outcome)
            if fail_fast:
                break
    took = time.monotonic() - began
    print(
        f"{done} seeds, {failed} failed; {virtual_s / 3600:.1f} virtual hours, {steps} steps in {took:.1f} s "
        f"({1000 * took / max(1, done):.0f} ms a seed)"
    )
    return 1 if failed else 0


def _outcomes(seeds: range, processes: int) -> Iterator[Outcome]:
    if processes <= 1:
        yield from map(run_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run_seed, seeds, chunksize=4)


def _show(outcome: Outcome) -> None:
    if not outcome.problems:
        return
    print(f"seed {outcome.seed} failed:")
    for problem in outcome.problems[:SHOWN_PROBLEMS_MAX]:
        print(f"  {problem}")
    if len(outcome.problems) > SHOWN_PROBLEMS_MAX:
        print(f"  and {len(outcome.problems) - SHOWN_PROBLEMS_MAX} more")


if __name__ == "__main__":
    sys.exit(main())
