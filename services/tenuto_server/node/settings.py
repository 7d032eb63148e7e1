"""What a process of a cluster is told when it starts: one model for all four services, from a YAML file, the environment and
the command line.

A value is looked for on the command line (`--set internal.port=7940`), then in the environment (`TENUTO_INTERNAL__PORT`), then
in the file (`internal: {port: 7940}`). What may change while processes run is not here, but in the file that
`dynamic_settings` names and in the store (`config.dynamic`).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tenuto_server.cluster.membership import MembershipSettings
from tenuto_server.cluster.ring import VIRTUAL_NODES_DEFAULT, VIRTUAL_NODES_MAX
from tenuto_server.transport.settings import AcceptorSettings, HttpApiSettings

ROLES: Final = ("frontend", "history", "matching", "worker-host")
PREFIX: Final = "TENUTO_"

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0)]


class SettingsError(ValueError):
    """Settings that cannot be used; the text names each field and what is wrong with it, one a line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Internal(_Part):
    """Where the other services reach this process: `host` and `port` to listen at (0: any free one), and the host that is told
    to the others; empty: `host`, or this machine's own address where that is every address."""

    host: str = "127.0.0.1"
    port: Port = 0
    advertise: str = ""

    def told(self) -> str:
        """The host that others are told."""
        return self.advertise or (own_address() if _is_any(self.host) else self.host)


class Membership(_Part):
    """Times of the membership table, in seconds: a process that died is gone from the others' rings after `ttl + read`."""

    ttl: Seconds = 6.0
    announce: Seconds = 1.5
    read: Seconds = 1.0

    def settings(self) -> MembershipSettings:
        """In the form of `cluster.membership`."""
        return MembershipSettings(ttl_s=self.ttl, announce_interval_s=self.announce, read_interval_s=self.read)

    @model_validator(mode="after")
    def _times_fit(self) -> Membership:
        self.settings()
        return self


class PublicHttp(_Part):
    """The public interface over HTTP with JSON: `address` is where, empty for nowhere (8800 is customary); `procedures` are the
    calls that may be made, as "uber.cadence.api.v1.WorkflowAPI::StartWorkflowExecution", none for all but the AdminAPI's."""

    address: str = ""
    procedures: tuple[str, ...] = ()

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        return _address(address) if address else address

    @field_validator("procedures")
    @classmethod
    def _are_procedures(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if names:
            # Loaded only where it is wanted: it knows every message of the interface.
            from tenuto_server.transport.http_acceptor import unknown_procedures

            if unknown := unknown_procedures(names):
                raise ValueError(f"there are no procedures {', '.join(unknown)}: they are named package.Service::Method")
        return names


class Public(_Part):
    """The public gRPC interface of a frontend, and the same over HTTP."""

    address: str = "127.0.0.1:7833"
    acceptor: Literal["auto", "grpc", "pyvoy"] = "auto"
    calls_under_way_max: Annotated[int, Field(ge=1)] = 20_000
    http: PublicHttp = PublicHttp()

    @field_validator("address")
    @classmethod
    def _is_address(cls, address: str) -> str:
        return _address(address)


class WorkerHost(_Part):
    """A worker-host: `frontend` is where it reaches the cluster; `modules` are users' own, as "module:task-list", served in
    `domain`; `system` says whether it serves the system's workflows, and `retention` how many seconds lie between two looks
    for runs whose retention is over (0: it does not look)."""

    frontend: str = "127.0.0.1:7833"
    domain: str = "default"
    modules: tuple[str, ...] = ()
    system: bool = True
    retention: Annotated[float, Field(ge=0)] = 60.0

    @field_validator("frontend")
    @classmethod
    def _is_address(cls, address: str) -> str:
        return _address(address)


class Logs(_Part):
    """Log lines on stderr."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    form: Literal["text", "json"] = "text"

    @field_validator("level", mode="before")
    @classmethod
    def _any_case(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level


class Traces(_Part):
    """Where traces go: an OTLP receiver over gRPC, as "http://jaeger:4317" (https:// for TLS), empty for none; and the share of
    the workflows that are traced among those whose caller brought no trace."""

    endpoint: str = ""
    ratio: Annotated[float, Field(ge=0, le=1)] = 0.01

    @field_validator("endpoint")
    @classmethod
    def _is_url(cls, endpoint: str) -> str:
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise ValueError("an endpoint is http://host:port or https://host:port")
        return endpoint


class ServerSettings(_Part):
    """One process.

    store: the store's URL (see `persistence.factory`), the same for all.
    shards: how many shards a new cluster gets; a cluster that has its number keeps it.
    domain: registered at the start of a frontend if it is not there; empty for none.
    http: where /metrics, /healthz and /readyz are served; empty for nowhere.
    dynamic_settings: YAML with settings that may change while the process runs, read again when it changes; empty for none.
    drain_delay: seconds between being told to stop and beginning with it, in which the process serves on but is not ready,
        so that balancers look elsewhere first.
    processes: how many processes of this service run on this machine. The further ones take the next ports where a port is given;
        frontends share theirs.
    """

    store: str = "cassandra://127.0.0.1:9042/tenuto"
    shards: Annotated[int, Field(ge=1, le=16_384)] = 64
    virtual_nodes: Annotated[int, Field(ge=1, le=VIRTUAL_NODES_MAX)] = VIRTUAL_NODES_DEFAULT
    domain: str = ""
    internal: Internal = Internal()
    membership: Membership = Membership()
    public: Public = Public()
    worker_host: WorkerHost = WorkerHost()
    http: str = ""
    logs: Logs = Logs()
    traces: Traces = Traces()
    dynamic_settings: str = ""
    drain_delay: Annotated[float, Field(ge=0, le=600)] = 0.0
    processes: Annotated[int, Field(ge=1, le=256)] = 1

    @field_validator("http")
    @classmethod
    def _is_address(cls, address: str) -> str:
        return _address(address) if address else address

    @field_validator("dynamic_settings")
    @classmethod
    def _is_file(cls, path: str) -> str:
        if path and not Path(path).is_file():
            raise ValueError(f"there is no file {path}")
        return str(Path(path).absolute()) if path else path

    def of_process(self, index: int) -> ServerSettings:
        """The settings of the `index`-th of several processes (from 0): each has ports of its own, but for the public one."""
        internal = self.internal.model_copy(update={"port": self.internal.port and self.internal.port + index})
        return self.model_copy(update={"internal": internal, "http": _shifted(self.http, index), "processes": 1})

    def acceptor(self, *, shared: bool) -> AcceptorSettings:
        """How the public interface is served; `shared`: several processes listen at its port."""
        public = self.public
        return AcceptorSettings(
            kind=public.acceptor,
            address=public.address,
            calls_under_way_max=public.calls_under_way_max,
            reuse_port=shared,
        )

    def http_api(self, *, shared: bool) -> HttpApiSettings | None:
        """How it is served over HTTP; None where it is not."""
        http = self.public.http
        if not http.address:
            return None
        return HttpApiSettings(http.address, http.procedures, reuse_port=shared)


def load(file: str, assignments: Sequence[str] = ()) -> ServerSettings:
    """The settings of file ("" for none), environment and assignments ("a.b=value", the value read as YAML). Raises
    SettingsError."""
    given = _nested(assignments)
    from_file = _read(file) if file else {}

    class Loaded(BaseSettings, ServerSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
            return init_settings, env_settings, _FileSource(settings_cls, from_file)

    try:
        loaded = Loaded(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_problems(error))) from None
    return ServerSettings.model_validate(loaded.model_dump())


class _FileSource(PydanticBaseSettingsSource):
    """A file's values, as they were read."""

    def __init__(self, settings_cls: type[BaseSettings], values: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._values


def _read(file: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{file} is not YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SettingsError(f"{file}: not a list of settings: write `name: value` lines")
    return values


def _nested(assignments: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise SettingsError(f"{assignment!r}: write name=value, like logs.level=DEBUG")
        *parents, last = path.strip().replace("-", "_").split(".")
        place = given
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise SettingsError(f"{assignment!r}: {parent} has a value already")
        try:
            place[last] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"{assignment!r}: {error}") from None
    return given


def _problems(error: ValidationError) -> list[str]:
    """Each problem as "field: what is wrong"."""
    return [
        f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
        + (f" (not {problem['input']!r})" if not isinstance(problem["input"], dict | BaseModel) else "")
        for problem in error.errors()
    ]


# --- addresses --------------------------------------------------------------------------------------------------------
def _address(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("an address is host:port")
    return address


def _shifted(address: str, by: int) -> str:
    """The address with its port moved up; port 0 stays any free one."""
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + by}" if host and int(port) else address


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def own_address() -> str:
    """This machine's address as other machines see it: that of the interface of its default route; its host name where there is
    none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # An address of the documentation range (RFC 5737): connecting a datagram socket only chooses a route.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
