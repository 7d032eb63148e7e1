"""What a cassandra:// URL means, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto_server.persistence.cassandra.settings import CassandraSettings, Tls, parse, replication_map


def test_the_least_that_a_url_says() -> None:
    settings = parse("localhost/tenuto", "", {})
    assert settings == CassandraSettings(hosts=("localhost",), keyspace="tenuto")
    assert settings.port == 9042
    assert settings.consistency == "QUORUM"
    assert settings.serial_consistency == "SERIAL"
    assert settings.append == "lwt"
    assert not settings.create


def test_hosts_port_user_and_keyspace() -> None:
    settings = parse("me:p%40ss%3A@one,two:9043,[::1]:9043/k_1", "", {})
    assert settings.hosts == ("one", "two", "::1")
    assert settings.port == 9043
    assert (settings.user, settings.password, settings.keyspace) == ("me", "p@ss:", "k_1")
    assert "p@ss" not in repr(settings)


def test_user_and_password_may_come_from_the_environment() -> None:
    environment = {"TENUTO_CASSANDRA_USER": "u", "TENUTO_CASSANDRA_PASSWORD": "p"}
    settings = parse("h/k", "", environment)
    assert (settings.user, settings.password) == ("u", "p")
    assert parse("me:mine@h/k", "", environment).password == "mine"


def test_all_options() -> None:
    query = (
        "driver=acsylla&consistency=local_quorum&serial_consistency=LOCAL_SERIAL&append=checked&datacenter=dc1"
        "&replication=dc1:3,dc2:2&request_timeout=2.5s&connect_timeout=3&in_flight_max=7&waiting_max=8&create=true"
    )
    assert parse("h/k", query, {}) == CassandraSettings(
        hosts=("h",), keyspace="k", driver="acsylla", consistency="LOCAL_QUORUM", serial_consistency="LOCAL_SERIAL",
        append="checked", datacenter="dc1", replication={"dc1": 3, "dc2": 2}, request_timeout_s=2.5, connect_timeout_s=3.0,
        in_flight_max=7, waiting_max=8, create=True,
    )  # fmt: skip


def test_replication() -> None:
    assert replication_map(parse("h/k", "replication=3", {})) == {"class": "NetworkTopologyStrategy", "replication_factor": "3"}
    by_name = replication_map(parse("h/k", "replication=a:1,b:2", {}))
    assert by_name == {"class": "NetworkTopologyStrategy", "a": "1", "b": "2"}


def test_tls(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("ca", "cert", "key")}
    for path in paths.values():
        path.write_text("pem")
    query = f"ssl=true&ca={paths['ca']}&cert={paths['cert']}&key={paths['key']}&check_host=true"
    assert parse("h/k", query, {}).tls == Tls(str(paths["ca"]), str(paths["cert"]), str(paths["key"]), True)
    assert parse("h/k", f"ssl=true&ca={paths['ca']}", {}).tls == Tls(str(paths["ca"]))
    assert parse("h/k", "ssl=false", {}).tls is None


@pytest.mark.parametrize(
    ("location", "query", "words"),
    [
        ("h", "", "keyspace"),
        ("h/", "", "keyspace"),
        ("h/Upper", "", "keyspace"),
        ("h/a-b", "", "keyspace"),
        ("h/k/l", "", "keyspace"),
        ("/k", "", "host"),
        ("h,/k", "", "host"),
        ("h:port/k", "", "host"),
        ("a:1,b:2/k", "", "one port"),
        ("a:99999/k", "", "not a port"),
        ("h/k", "colour=red", "no option colour"),
        ("h/k", "driver=odbc", "driver is one of auto, acsylla, cassandra-driver"),
        ("h/k", "consistency=TWO", "consistency is one of"),
        ("h/k", "serial_consistency=QUORUM", "serial_consistency is one of"),
        ("h/k", "append=maybe", "append is one of lwt, checked"),
        ("h/k", "replication=0", "replication"),
        ("h/k", "replication=dc1:x", "replication"),
        ("h/k", "datacenter='", "datacenter"),
        ("h/k", "request_timeout=0", "request_timeout"),
        ("h/k", "request_timeout=soon", "request_timeout"),
        ("h/k", "in_flight_max=0", "in_flight_max"),
        ("h/k", "create=perhaps", "create is true or false"),
        ("h/k", "ca=/nowhere", "only with ssl=true"),
        ("h/k", "ssl=true", "needs ca"),
        ("h/k", "ssl=true&ca=/nowhere", "there is no file"),
    ],
)
def test_what_makes_no_sense_is_named(location: str, query: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(location, query, {})


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("pem")
    with pytest.raises(ValueError, match="go together"):
        parse("h/k", f"ssl=true&ca={tmp_path}/ca&cert={tmp_path}/ca", {})
