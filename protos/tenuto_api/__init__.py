"""Cadence's gRPC interface and Tenuto's internal ones, as protobuf messages."""
