"""Asking the store as `interplay query` does: a server, an embedded one, and one that a worker has open; and the lines where it cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_standin import PASSWORD, Standin
from store_records import actions, finding, findings

from streams.broker import free_port
from streams.settings import ClickHouse, Settings
from streams.store import StoreAway, StoreRefused, init_store, open_store, query
from streams.store.reading import raw

ROOT = Path(__file__).parent.parent
SQL = "SELECT finding_id, revision, agents, started_at > 0 AS known FROM findings ORDER BY finding_id;"
ANSWER = (["finding_id", "revision", "agents", "known"], [("f_1", 2, ["a", "b"], 1), ("f_2", 1, ["a", "b"], 1)])
HOLDER = """
import sys
sys.path[:0] = [".", "tests"]
from streams.settings import ClickHouse, Settings
from streams.store import open_store
with open_store(Settings(clickhouse=ClickHouse(path=sys.argv[1], serve=sys.argv[2]))) as store:
    print(bool(store.client), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(clickhouse=ClickHouse(path=str(tmp_path_factory.mktemp("asked") / "store"), serve=f"127.0.0.1:{free_port()}"))
    init_store(made)
    with open_store(made) as store:
        store.write([*actions(0, 5), *findings(finding(1), finding(2), finding(1, finding_id="f_2"))])
        store.write(findings(finding(1), first=9))
    return made


@pytest.fixture
def held(settings: Settings) -> Iterator[None]:
    """Another process has the store open, as a worker has."""
    yield from holding(settings.clickhouse.path, settings.clickhouse.serve)


def holding(path: str, serve: str) -> Iterator[None]:
    command = [sys.executable, "-c", HOLDER, path, serve]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert worker.stdout is not None and worker.stdout.readline() == b"True\n"
    yield
    worker.communicate()


def test_a_store_that_nobody_has_open(settings: Settings) -> None:
    assert query(settings, SQL) == ANSWER
    assert raw(settings, "SELECT 1 AS x", "CSVWithNames") == b'"x"\n1\n'


def test_a_store_that_a_worker_has_open(settings: Settings, held: None) -> None:
    assert query(settings, SQL) == ANSWER
    assert raw(settings, "SELECT 1 AS x", "CSVWithNames") == b'"x"\n1\n'


def test_a_store_that_this_process_has_open(settings: Settings) -> None:
    with open_store(settings) as store:
        assert store.client.command("SELECT 1") == 1
        assert query(settings, SQL) == ANSWER


def test_a_server(tmp_path: Path) -> None:
    server = Standin(tmp_path / "store", free_port())
    server.start()
    settings = Settings(clickhouse=ClickHouse(port=server.port, password=PASSWORD))
    init_store(settings)
    with open_store(settings) as store:
        store.write(findings(finding(1), finding(2), finding(1, finding_id="f_2")))
        store.write(findings(finding(1), first=9))
    assert query(settings, SQL) == ANSWER
    with pytest.raises(StoreRefused, match="only read here: DROP is not a question"):
        query(settings, "DROP TABLE findings")
    server.kill()
    with pytest.raises(StoreAway, match="does not answer"):
        query(settings, SQL)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nope FROM findings", "nope"),
        ("SELECT FROM WHERE", "Syntax error"),
        ("DROP TABLE findings", "only read here: DROP is not a question"),
        ("SELECT file('/etc/hostname')", "file reaches beyond the store"),
        ("SELECT 1 FORMAT CSV", "leave out FORMAT CSV"),
        ("", "nothing is not a question"),
    ],
)
def test_what_cannot_be_asked_is_one_line(settings: Settings, sql: str, said: str) -> None:
    with pytest.raises(StoreRefused, match=said) as told:
        query(settings, sql)
    assert str(told.value).startswith("the store in /") and "\n" not in str(told.value)


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"there is no store in .*interplay init"):
        query(Settings(clickhouse=ClickHouse(path=str(tmp_path / "none"))), "SELECT 1")
    assert not (tmp_path / "none").exists()


def test_a_worker_that_serves_nobody_or_elsewhere(settings: Settings) -> None:
    for _ in holding(settings.clickhouse.path, ""):
        with pytest.raises(StoreAway, match=r"does not answer on .*serve the same\?"):
            query(settings, "SELECT 1")
        silent = Settings(clickhouse=msgspec.structs.replace(settings.clickhouse, serve=""))
        with pytest.raises(StoreAway, match=r"clickhouse\.serve is off"):
            query(silent, "SELECT 1")
        with pytest.raises(StoreAway, match="cannot be opened: most likely another process"):
            init_store(settings)
