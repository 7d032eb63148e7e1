"""Diagnoses of runs: the workflow, what it reads, and the pure findings."""
