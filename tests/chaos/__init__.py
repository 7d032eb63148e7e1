"""Faults for real: processes, a real Cassandra, a steady load, and judges."""
