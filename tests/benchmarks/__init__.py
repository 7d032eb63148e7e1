"""Benchmarks: ratios side by side, never a bare time."""
