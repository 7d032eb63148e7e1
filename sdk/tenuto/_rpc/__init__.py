"""Calls to a Cadence-compatible server over grpc.aio, and the client built on them."""
