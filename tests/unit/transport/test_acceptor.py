"""Which acceptor is chosen, and what Envoy is told."""

from __future__ import annotations

import json

import pytest

from tenuto_server.transport import acceptor, pyvoy_acceptor
from tenuto_server.transport.settings import AcceptorSettings


@pytest.mark.parametrize(
    ("kind", "there", "chosen"),
    [("grpc", True, "grpc"), ("grpc", False, "grpc"), ("auto", True, "pyvoy"), ("auto", False, "grpc")],
)
def test_the_choice(monkeypatch: pytest.MonkeyPatch, kind: str, there: bool, chosen: str) -> None:
    monkeypatch.setattr(pyvoy_acceptor, "available", lambda: there)
    assert acceptor.choose(AcceptorSettings(kind=kind)) == chosen


def test_what_is_asked_for_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyvoy_acceptor, "available", lambda: False)
    with pytest.raises(ValueError, match="pyvoy"):
        acceptor.choose(AcceptorSettings(kind="pyvoy"))
    with pytest.raises(ValueError, match="thrift"):
        acceptor.choose(AcceptorSettings(kind="thrift"))


def test_a_factory_is_found_by_its_name() -> None:
    assert acceptor.load_factory("tenuto_server.transport.acceptor:choose").__name__ == "choose"
    with pytest.raises(ValueError, match="module:function"):
        acceptor.load_factory("tenuto_server")


@pytest.mark.skipif(not pyvoy_acceptor.available(), reason="pyvoy cannot run here")
def test_envoy_does_not_cut_long_polls_short() -> None:
    settings = AcceptorSettings(calls_under_way_max=1234)
    config = pyvoy_acceptor.envoy_config("127.0.0.1", 7833, settings)
    [listener] = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    assert "admin" not in config
    assert listener["enable_reuse_port"] is False
    assert manager["stream_idle_timeout"] == manager["common_http_protocol_options"]["idle_timeout"] == "0s"
    assert manager["http2_protocol_options"]["max_concurrent_streams"] == 1234
    # No router among the filters: so no route, and no route's timeout of 15 s.
    assert [entry["name"] for entry in manager["http_filters"]] == ["pyvoy"]
    assert "routes" not in json.dumps(manager["route_config"])
