"""That tests get a real Cassandra: it answers CQL, has storage-attached indexes, and ends with its owner."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy

from tests.cassandra import distribution, keeper, provision
from tests.cassandra.distribution import Unavailable
from tests.cassandra.provision import Cassandra

pytestmark = pytest.mark.cassandra


@pytest.fixture
def session(cassandra: Cassandra) -> Iterator[Session]:
    """A session in a keyspace of its own."""
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
    cluster = Cluster(
        list(cassandra.hosts), port=cassandra.port, protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile}
    )
    name = f"answers_{uuid.uuid4().hex}"
    try:
        session = cluster.connect()
        session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
        session.set_keyspace(name)
        yield session
        session.execute(f"DROP KEYSPACE {name}")
    finally:
        cluster.shutdown()


def test_it_is_cassandra_5(session: Session) -> None:
    assert session.execute("SELECT release_version FROM system.local").one().release_version.startswith("5.")


def test_it_has_transactions_and_storage_attached_indexes(session: Session) -> None:
    session.execute("CREATE TABLE t (k int, c int, word text, PRIMARY KEY (k, c))")
    session.execute("CREATE INDEX t_word ON t (word) USING 'sai'")
    insert = "INSERT INTO t (k, c, word) VALUES (1, %s, %s) IF NOT EXISTS"
    assert [session.execute(insert, row).was_applied for row in ((1, "a"), (2, "b"), (1, "c"))] == [True, True, False]
    assert [row.c for row in session.execute("SELECT c FROM t WHERE word = 'b'")] == [2]


def test_a_kept_process_ends_with_its_owner(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "temporary").touch()
    (tmp_path / "kept" / "cleanup").write_text(f"touch {tmp_path}/cleaned\n", encoding="utf-8")
    owner = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    kept = keeper.start(keeper.identity(owner.pid), tmp_path / "kept", ["sleep", "1000"])
    child = keeper.identity(int((tmp_path / "kept" / "pid").read_text(encoding="utf-8")))
    assert keeper.alive(child)
    owner.communicate(b"\n")
    kept.wait(20)
    assert not keeper.alive(child)
    assert not (tmp_path / "kept").exists()
    assert (tmp_path / "cleaned").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_kept_process_ends_with_its_keeper(tmp_path: Path) -> None:
    kept = keeper.start(keeper.NO_OWNER, tmp_path, ["sleep", "1000"])
    child = keeper.identity(int((tmp_path / "pid").read_text(encoding="utf-8")))
    kept.kill()
    kept.wait(20)
    assert keeper.wait_until(lambda: not keeper.alive(child), 20)


def test_contact_points_may_be_given() -> None:
    assert provision.given(None) is None
    found = provision.given("10.0.0.1:9142,10.0.0.2")
    assert found is not None
    assert (found.hosts, found.port, found.contact_points) == (("10.0.0.1", "10.0.0.2"), 9142, "10.0.0.1:9142,10.0.0.2")


@pytest.mark.parametrize("text", [":9042", "a:x", "a:1,b:2", "a,,b"])
def test_contact_points_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(Unavailable, match="host:port"):
        provision.given(text)


def test_the_list_of_jars_is_whole() -> None:
    """Used where there is no Maven, and checked against what Maven fetched where there is."""
    assert f"cassandra-all-{distribution.VERSION}.jar" in distribution.listed()
    assert distribution.VERSION in distribution.POM.read_text(encoding="utf-8")
    assert all(len(digest) == 64 and place.endswith(".jar") for digest, place in distribution.listed().values())
