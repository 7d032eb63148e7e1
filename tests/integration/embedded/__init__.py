"""Tests of all services in one process."""
