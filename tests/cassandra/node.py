"""One node of Cassandra run from its jars: its settings, start, stop, kill and restart; and small clusters of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cassandra import distribution, keeper
from tests.ports import free_port

# It takes 15 s on a machine at rest; tests may have it busy.
READY_SECONDS_MAX = 300.0
STOP_SECONDS_MAX = 60.0
# An OPTIONS frame of version 4 of the native protocol, and the opcode of the answer to it.
OPTIONS_FRAME = bytes([4, 0, 0, 0, 5, 0, 0, 0, 0])
SUPPORTED = 6

# What Cassandra needs of Java 17: the same as the distribution's jvm17-server.options.
EXPORTS = (
    "java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch "
    "java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server "
    "java.rmi/sun.rmi.transport.tcp java.sql/java.sql"
).split()
OPENS = (
    "java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.io java.base/java.net "
    "java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic "
    "java.base/sun.nio.ch java.base/jdk.internal.loader java.base/jdk.internal.ref java.base/jdk.internal.reflect "
    "java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar "
    "java.management/javax.management jdk.management/com.sun.management.internal"
).split()

YAML = """\
cluster_name: tenuto-tests
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
authenticator: AllowAllAuthenticator
authorizer: AllowAllAuthorizer
endpoint_snitch: SimpleSnitch
listen_address: {address}
rpc_address: {address}
storage_port: {storage_port}
native_transport_port: {port}
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "{seeds}"
{commitlog}
commitlog_segment_size: 8MiB
commitlog_total_space: 256MiB
auto_bootstrap: false
auto_snapshot: false
disk_failure_policy: stop
memtable_heap_space: 96MiB
memtable_offheap_space: 96MiB
paxos_variant: {paxos}
sai_options:
  segment_write_buffer_size: 32MiB
file_cache_size: 32MiB
key_cache_size: 8MiB
concurrent_reads: 8
concurrent_writes: 8
concurrent_compactors: 1
data_file_directories: [{folder}/data]
commitlog_directory: {folder}/commitlog
saved_caches_directory: {folder}/saved
hints_directory: {folder}/hints
cdc_raw_directory: {folder}/cdc
"""
# The fastest that a machine may lose, and what survives a kill -9 at any moment.
PERIODIC = "commitlog_sync: periodic\ncommitlog_sync_period: 10000ms"
BATCH = "commitlog_sync: batch"

LOGBACK = """\
<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{folder}/system.log</file>
    <encoder><pattern>%-5level %date{{ISO8601}} %F:%L - %msg%n%xException</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
"""


class NotReady(Exception):
    """The node did not come up; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node lives, and how it is set up. `seeds` are of the form host:storage port; `durable` syncs its commit log at
    each write, so that a kill -9 loses nothing that was acknowledged; `short_lived` compiles quickly rather than well; `paxos` is
    the form of lightweight transactions: v1, as Cassandra comes, or v2."""

    folder: Path
    address: str = "127.0.0.1"
    port: int = 0
    storage_port: int = 0
    seeds: tuple[str, ...] = ()
    token: int = 0
    heap_mib: int = 512
    durable: bool = False
    short_lived: bool = True
    paxos: str = "v1"


class Node:
    """A node in a folder of its own. Everything that must be known of it is in the folder, so that other processes find it."""

    def __init__(self, settings: NodeSettings, owner: str | None = None) -> None:
        """`owner` is the process whose end is also the node's (`keeper.identity`); this process if not given."""
        self.settings = settings
        self.owner = owner if owner is not None else keeper.identity(os.getpid())
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the JVM; None while it does not run."""
        try:
            return int((self.settings.folder / "pid").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def start(self) -> None:
        """Starts the node, without waiting. Raises distribution.Unavailable."""
        command = self._command()
        folder = self.settings.folder
        self._write_configuration()
        self._keeper = keeper.start(self.owner, folder, command)

    def wait_ready(self, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Waits till the node answers CQL. Raises NotReady."""

        def over() -> bool:
            return answers(self.settings.address, self.settings.port) or not self._kept()

        if not keeper.wait_until(over, seconds_max):
            raise NotReady(f"Cassandra did not answer in {seconds_max:.0f} s:\n{self.log_end()}")
        if not self._kept():
            raise NotReady(f"Cassandra ended:\n{self.log_end()}")

    def stop(self) -> None:
        """Stops the node in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kills the node, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stops the node's process where it is (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets the node's process go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def log_end(self, chars: int = 3000) -> str:
        """The end of the node's log and output."""
        ends = []
        for name in ("output", "system.log"):
            with contextlib.suppress(OSError):
                ends.append((self.settings.folder / name).read_text(encoding="utf-8", errors="replace")[-chars:])
        return "\n".join(ends)

    def remove(self) -> None:
        """Kills the node if it runs, and removes its data."""
        self.kill()
        shutil.rmtree(self.settings.folder, ignore_errors=True)

    def _kept(self) -> bool:
        return self._keeper is not None and self._keeper.poll() is None

    def _end(self, number: int) -> None:
        if self._keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._signal(number)
        try:
            self._keeper.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._keeper.wait(STOP_SECONDS_MAX)
        self._keeper = None

    def _signal(self, number: int) -> None:
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)

    def _write_configuration(self) -> None:
        s = self.settings
        s.folder.mkdir(parents=True, exist_ok=True)
        text = YAML.format(
            address=s.address,
            port=s.port,
            storage_port=s.storage_port,
            seeds=",".join(s.seeds or (f"{s.address}:{s.storage_port}",)),
            commitlog=BATCH if s.durable else PERIODIC,
            paxos=s.paxos,
            folder=s.folder,
        )
        (s.folder / "cassandra.yaml").write_text(text, encoding="utf-8")
        (s.folder / "logback.xml").write_text(LOGBACK.format(folder=s.folder), encoding="utf-8")

    def _command(self) -> list[str]:
        s = self.settings
        java = java_17()
        library = distribution.jars()
        agent = next(library.glob("jamm-*.jar"))
        speed = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"] if s.short_lived else ["-XX:+UseG1GC"]
        return [
            java,
            *(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
            *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS),
            f"-javaagent:{agent}", f"-Xms{s.heap_mib}m", f"-Xmx{s.heap_mib}m", "-Xss512k", *speed,
            "-XX:-UsePerfData", "-Xshare:auto", "-XX:+ExitOnOutOfMemoryError",
            "-Djdk.attach.allowAttachSelf=true", "-Dio.netty.tryReflectionSetAccessible=true",
            "-Djava.net.preferIPv4Stack=true", f"-Djava.io.tmpdir={s.folder}",
            f"-Dcassandra.initial_token={s.token}", "-Dcassandra.skip_wait_for_gossip_to_settle=0",
            "-Dcassandra.ring_delay_ms=100",
            f"-Dcassandra.config=file://{s.folder}/cassandra.yaml",
            f"-Dlogback.configurationFile={s.folder}/logback.xml",
            f"-Dcassandra.storagedir={s.folder}", f"-Dcassandra.logdir={s.folder}",
            "-cp", f"{library}/*", "org.apache.cassandra.service.CassandraDaemon",
        ]  # fmt: skip


def ring(folder: Path, count: int = 3, heap_mib: int = 384, durable: bool = True) -> list[Node]:
    """Nodes of one cluster on 127.0.0.1, 127.0.0.2, ..., not started; start the first before the others. All have the same
    ports. Where a keyspace is replicated `count` times, each node has everything. Their transactions are of the newer form; those
    of a node on its own are as Cassandra comes."""
    addresses = [f"127.0.0.{number + 1}" for number in range(count)]
    port, storage_port = free_port(addresses), free_port(addresses)
    seeds = (f"{addresses[0]}:{storage_port}",)
    step = 2**64 // count

    def settings(number: int, address: str) -> NodeSettings:
        place, token = folder / f"node{number + 1}", -(2**63) + step * number
        return NodeSettings(place, address, port, storage_port, seeds, token, heap_mib, durable, paxos="v2")

    return [Node(settings(number, address)) for number, address in enumerate(addresses)]


def answers(host: str, port: int, seconds_max: float = 2.0) -> bool:
    """Whether somebody there speaks CQL's native protocol."""
    try:
        with socket.create_connection((host, port), seconds_max) as connection:
            connection.settimeout(seconds_max)
            connection.sendall(OPTIONS_FRAME)
            head = connection.recv(9)
    except OSError:
        return False
    return len(head) >= 5 and head[4] == SUPPORTED


def java_17() -> str:
    """The command of a Java 17. Raises distribution.Unavailable."""
    home = os.environ.get("JAVA_HOME")
    for command in ([f"{home}/bin/java"] if home else []) + ["java"]:
        found = shutil.which(command)
        if found is None:
            continue
        told = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
        if 'version "17' in told:
            return found
    raise distribution.Unavailable("Cassandra 5 runs on Java 17, which is not on this machine")
