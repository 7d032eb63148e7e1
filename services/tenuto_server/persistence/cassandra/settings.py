"""What a cassandra:// URL says: where the cluster is, how to talk to it, and at which consistency.

cassandra://[user[:password]@]host[,host...][:port]/keyspace?option=value&...

Whatever is not an option, or has no sense as one, is a ValueError that names it. User and password may be kept out of the URL,
in the environment: TENUTO_CASSANDRA_USER and TENUTO_CASSANDRA_PASSWORD.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import parse_qs, unquote

Driver = Literal["auto", "acsylla", "cassandra-driver"]
Consistency = Literal["QUORUM", "LOCAL_QUORUM", "ONE"]
SerialConsistency = Literal["SERIAL", "LOCAL_SERIAL"]
AppendForm = Literal["lwt", "checked"]

_PORT: Final = 9042
_KEYSPACE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Tls:
    """Encrypted connections. Files are in PEM; `cert` and `key` are this client's own, where the cluster asks for them. A node's
    certificate must be vouched for by `ca`, and name the node's address if `check_host` is on."""

    ca: str
    cert: str = ""
    key: str = ""
    check_host: bool = False


@dataclass(frozen=True, slots=True)
class CassandraSettings:
    """All that a URL can say. Sizes of the queues are requests, times are seconds."""

    hosts: tuple[str, ...]
    keyspace: str
    port: int = _PORT
    user: str = ""
    password: str = field(default="", repr=False)
    # acsylla where it is installed, else cassandra-driver.
    driver: Driver = "auto"
    # Of everything but lightweight transactions; those are committed at it.
    consistency: Consistency = "QUORUM"
    serial_consistency: SerialConsistency = "SERIAL"
    # How the log is appended to: by lightweight transactions, or by writing and then checking the seal.
    append: AppendForm = "lwt"
    # Whose nodes are asked first; by default that of the first node met.
    datacenter: str = ""
    # For a keyspace that is made: replicas in every datacenter, or by datacenter's name.
    replication: Mapping[str, int] | int = 1
    tls: Tls | None = None
    # How long one try of a request may take.
    request_timeout_s: float = 10.0
    # How long connecting may take.
    connect_timeout_s: float = 10.0
    # Requests that Cassandra works on at once for this process, and how many may wait for their turn.
    in_flight_max: int = 512
    waiting_max: int = 20_000
    # Make keyspace and tables where they are not there: for development and tests.
    create: bool = False


def parse(location: str, query: str, environment: Mapping[str, str] = os.environ) -> CassandraSettings:
    """The settings in the parts of a URL after "cassandra://": `location` up to the question mark, `query` after it. Raises
    ValueError."""
    authority, slash, keyspace = location.partition("/")
    keyspace = unquote(keyspace)
    if not slash or not _KEYSPACE.fullmatch(keyspace):
        raise ValueError(f"{keyspace!r} names no keyspace: small letters, digits and _, a letter first, 48 at most")
    userinfo, _, places = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    hosts, port = _hosts(places)
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    unknown = sorted(set(options) - set(_OPTIONS) - set(_TLS_OPTIONS))
    if unknown:
        known = ", ".join(sorted({*_OPTIONS, *_TLS_OPTIONS}))
        raise ValueError(f"cassandra:// knows no option {', '.join(unknown)}; known are {known}")
    values: dict[str, object] = {}
    for name, text in options.items():
        if name in _OPTIONS:
            field_name, read = _OPTIONS[name]
            values[field_name] = read(name, text)
    return CassandraSettings(
        hosts=hosts,
        keyspace=keyspace,
        port=port,
        user=unquote(user) or environment.get("TENUTO_CASSANDRA_USER", ""),
        password=unquote(password) or environment.get("TENUTO_CASSANDRA_PASSWORD", ""),
        tls=_tls(options),
        **values,  # type: ignore[arg-type]  # each read by the reader of its field
    )


def replication_map(settings: CassandraSettings) -> dict[str, str]:
    """The replication of a keyspace as Cassandra takes it."""
    wanted = settings.replication
    factors = {"replication_factor": wanted} if isinstance(wanted, int) else wanted
    return {"class": "NetworkTopologyStrategy", **{name: str(count) for name, count in factors.items()}}


def _hosts(places: str) -> tuple[tuple[str, ...], int]:
    """Host names without their port, which is the same for all."""
    hosts: list[str] = []
    ports: set[str] = set()
    for place in places.split(","):
        bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d+))?", place)
        plain = re.fullmatch(r"([^:\[\]\s]+)(?::(\d+))?", place)
        found = bracketed or plain
        if found is None:
            raise ValueError(f"{place!r} is not a host of a Cassandra cluster: cassandra://host1,host2:9042/keyspace")
        hosts.append(unquote(found[1]))
        if found[2]:
            ports.add(found[2])
    if len(ports) > 1:
        raise ValueError(f"all nodes of a Cassandra cluster are reached on one port, not on {', '.join(sorted(ports))}")
    port = int(ports.pop()) if ports else _PORT
    if not 0 < port < 1 << 16:
        raise ValueError(f"{port} is not a port")
    return tuple(hosts), port


def _one_of(choices: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        for choice in choices:
            if choice.lower() == text.lower():
                return choice
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {text!r}")

    return read


def _flag(name: str, text: str) -> bool:
    if text.lower() in ("true", "yes", "1", "on"):
        return True
    if text.lower() in ("false", "no", "0", "off"):
        return False
    raise ValueError(f"{name} is true or false, not {text!r}")


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 3600.0:
        raise ValueError(f"{name} is a number of seconds up to 3600, not {text!r}")
    return value


def _count(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise ValueError(f"{name} is a number between 1 and 1000000, not {text!r}")
    return int(text)


def _datacenter(name: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{name} is the name of a datacenter, not {text!r}")
    return text


def _replication(name: str, text: str) -> Mapping[str, int] | int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    factors: dict[str, int] = {}
    for part in text.split(","):
        datacenter, _, count = part.partition(":")
        if not _NAME.fullmatch(datacenter) or not count.isdecimal() or int(count) < 1:
            raise ValueError(f"{name} is a number of replicas or dc1:3,dc2:3, not {text!r}")
        factors[datacenter] = int(count)
    return factors


_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str, str], object]]]] = {
    "driver": ("driver", _one_of(get_args(Driver))),
    "consistency": ("consistency", _one_of(get_args(Consistency))),
    "serial_consistency": ("serial_consistency", _one_of(get_args(SerialConsistency))),
    "append": ("append", _one_of(get_args(AppendForm))),
    "datacenter": ("datacenter", _datacenter),
    "replication": ("replication", _replication),
    "request_timeout": ("request_timeout_s", _seconds),
    "connect_timeout": ("connect_timeout_s", _seconds),
    "in_flight_max": ("in_flight_max", _count),
    "waiting_max": ("waiting_max", _count),
    "create": ("create", _flag),
}
_TLS_OPTIONS: Final = ("ssl", "ca", "cert", "key", "check_host")


def _tls(options: Mapping[str, str]) -> Tls | None:
    given = [name for name in _TLS_OPTIONS[1:] if name in options]
    if not _flag("ssl", options.get("ssl", "false")):
        if given:
            raise ValueError(f"{', '.join(given)}: only with ssl=true")
        return None
    for name in ("ca", "cert", "key"):
        path = options.get(name, "")
        if path and not os.path.isfile(path):
            raise ValueError(f"{name}: there is no file {path}")
    if not options.get("ca"):
        raise ValueError("ssl=true needs ca, the file with the certificates that vouch for the cluster's")
    if bool(options.get("cert")) != bool(options.get("key")):
        raise ValueError("cert and key go together")
    return Tls(
        ca=options["ca"],
        cert=options.get("cert", ""),
        key=options.get("key", ""),
        check_host=_flag("check_host", options.get("check_host", "false")),
    )
