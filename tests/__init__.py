"""Tests of everything: unit, scenarios, conformance, simulation, integration, clients, e2e, chaos, benchmarks, tidy."""
