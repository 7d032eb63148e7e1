"""Hundreds of seeds of the whole cluster, in chunks that pytest-xdist can spread, and the proof that a seed is one
run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .simulation import simulate

SEEDS = int(os.environ.get("TENUTO_SIMULATION_SEEDS", "320"))
CHUNK = 20
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_seeds(first: int) -> None:
    failures = []
    for seed in range(first, min(first + CHUNK, SEEDS + 1)):
        outcome = simulate(str(seed))
        if outcome.problems:
            text = "\n".join(outcome.problems[:5])
            failures.append(f"seed {seed} (python -m tests.simulation --seed {seed} --trace):\n{text}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("seed", ["1", "2", "5", "11"])
def test_a_seed_is_the_same_run_every_time(seed: str) -> None:
    first, second = simulate(seed), simulate(seed)
    assert (first.hash, first.steps, first.virtual_s) == (second.hash, second.steps, second.virtual_s)


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Strings hash otherwise in each process: nothing may follow the order of a set of them."""
    code = "from tests.simulation.simulation import simulate; print([simulate(str(n)).hash for n in (3, 12, 18, 50)])"
    outputs = set()
    for hash_seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1, outputs
