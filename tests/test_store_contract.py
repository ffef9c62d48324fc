"""What the store promises, wherever it is: nothing lost, nothing twice. On chDB in this process, on a stand-in for a server over HTTP, and
on a real server where INTERPLAY_TEST_CLICKHOUSE says "host:port" (with INTERPLAY_TEST_CLICKHOUSE_PASSWORD for the user default).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from clickhouse_standin import PASSWORD, Standin
from store_records import FINDINGS, NOW, SIGNALS, action, actions, finding, findings, one_of_each

from models.events import decode_signal, encode_signal
from models.findings import decode_finding
from models.instants import HOUR, SECOND
from streams.broker import free_port
from streams.settings import ClickHouse, Settings
from streams.store import Record, Store, StoreAway, StoreRefused, init_store
from streams.store.clickhouse import connect
from streams.store.rows import Position

REAL = os.environ.get("INTERPLAY_TEST_CLICKHOUSE", "")
PLACES = ["embedded", "server", *(["real"] if REAL else [])]
DATABASES = count()


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    server = Standin(tmp_path_factory.mktemp("server"), free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    if request.param == "real":
        host, _, port = REAL.rpartition(":")
        yield ClickHouse(host=host, port=int(port), password=os.environ.get("INTERPLAY_TEST_CLICKHOUSE_PASSWORD", ""))
    elif request.param == "server":
        yield of_standin(request.getfixturevalue("standin"))
    else:
        settings = ClickHouse(path=str(tmp_path_factory.mktemp("embedded")), serve="")
        keep = connect(settings, database=False)  # one engine for all tests: opening it takes half a second
        yield settings
        keep.close()


def of_standin(server: Standin, **fields: object) -> ClickHouse:
    return ClickHouse(port=server.port, password=PASSWORD, **fields)


def fresh(place: ClickHouse, **fields: object) -> ClickHouse:
    """A database of the test's own."""
    return msgspec.structs.replace(place, database=f"t{next(DATABASES)}", batch=1000, **fields)


@pytest.fixture
def settings(place: ClickHouse) -> ClickHouse:
    made = fresh(place)
    init_store(Settings(clickhouse=made))
    return made


@pytest.fixture
def store(settings: ClickHouse) -> Iterator[Store]:
    made = Store(settings)
    yield made
    made.close()


def ask(store: Store, sql: str) -> list[tuple]:
    return list(store.client.query(sql).result_rows)


def one(store: Store, sql: str) -> object:
    return ask(store, sql)[0][0]


# The schema


def test_init_is_safe_to_repeat(place: ClickHouse) -> None:
    settings = Settings(clickhouse=fresh(place))
    assert "applied migration 0001_initial" in init_store(settings)[0]
    assert "schema 1 is there" in init_store(settings)[0]


def test_init_goes_on_where_it_was_broken_off(settings: ClickHouse) -> None:
    client = connect(settings)
    client.command("DROP TABLE edges")
    client.command("TRUNCATE TABLE schema_migrations")
    assert "applied migration 0001_initial" in init_store(Settings(clickhouse=settings))[0]
    assert client.command("EXISTS TABLE edges") == 1
    client.close()


@pytest.mark.parametrize(
    ("version", "name", "said"), [(1, "0001_initial", "is not the file that was applied"), (99, "0099_later", "has schema 99")]
)
def test_a_schema_that_is_not_ours_is_refused(settings: ClickHouse, version: int, name: str, said: str) -> None:
    client = connect(settings)
    client.insert("schema_migrations", [[version, name, "other"]], column_names=["version", "name", "checksum"])
    client.close()
    for attempt in (lambda: init_store(Settings(clickhouse=settings)), lambda: Store(settings).client):
        with pytest.raises(StoreRefused, match=said) as told:
            attempt()
        assert "\n" not in str(told.value)


def test_a_changed_retention_reaches_the_tables(store: Store, settings: ClickHouse) -> None:
    changed = msgspec.structs.replace(settings, retention_days=77)
    assert len(init_store(Settings(clickhouse=changed))) == 6
    engines = ask(
        store, f"SELECT engine_full FROM system.tables WHERE database = '{settings.database}' AND engine_full ILIKE '% TTL %'"
    )
    assert len(engines) == 6 and all("toIntervalDay(77)" in engine for (engine,) in engines)
    assert "schema 1 is there" in init_store(Settings(clickhouse=changed))[0]


def test_a_database_that_is_not_there_is_refused(place: ClickHouse) -> None:
    with pytest.raises(StoreRefused, match="interplay init"):
        Store(fresh(place)).write(actions(0, 1))


# Rows


def test_every_kind_comes_back_as_it_was(store: Store) -> None:
    sent = one_of_each()
    written = store.write(sent)
    assert written.rows["signals"] == 5 and written.rows["watermarks"] == 1 and written.expired == 0
    stored = [decode_signal(text.encode()) for (text,) in ask(store, "SELECT json FROM signals ORDER BY id")]
    assert [encode_signal(event) for event in stored] == [encode_signal(event) for _, event in sent[:5]]
    assert ask(
        store, "SELECT old, new, has_old, has_reads, causes, why, version, late, outcome, trace_id FROM signals WHERE id = '1'"
    ) == [("8.5", '[1,"b"]', True, True, ["s 0"], "p95 > 300; it's slow", "17", True, "failed", "0af7651916cd43dd8448eb211c80319c")]
    assert ask(store, "SELECT kind, resource, parameter, old, new, closed FROM signals WHERE id != '1' ORDER BY id") == [
        ("transition", "db/orders", "health", "ok", "degraded", False),
        ("dependency", "svc/cart", "", "", "db/orders", True),
        ("intent", "db/orders", "replicas", "", "4", False),
        ("verdict", "cfg", "", "", "block", False),
    ]
    assert one(store, "SELECT toUnixTimestamp64Nano(time) FROM signals WHERE id = '1'") == NOW
    assert one(store, "SELECT toUnixTimestamp64Nano(until) FROM signals WHERE id = '4'") == NOW + HOUR
    assert ask(store, "SELECT partition, mode, delay_s, toUnixTimestamp64Nano(watermark) FROM watermarks") == [
        ("interplay.events/3", "live", 1.0, NOW)
    ]


def test_a_finding_comes_back_as_it_was(store: Store) -> None:
    grown = finding(2, status="resolved", resolved_at="2026-11-24T02:30:00Z", evidence=3)
    store.write(findings(finding(1), grown))
    assert [decode_finding(text.encode()) for (text,) in ask(store, "SELECT json FROM findings FINAL")] == [grown]
    assert ask(store, "SELECT revision, status, severity, agents, metrics, roots, reach, late FROM findings_current") == [
        (2, "resolved", "error", ["a", "b"], {"reversals": 2.0}, ["s 0"], ["svc/cart"], 1)
    ]
    assert ask(store, "SELECT revision, status FROM finding_revisions FINAL ORDER BY revision") == [(1, "open"), (2, "resolved")]
    assert ask(store, "SELECT seq, event, role FROM evidence_current ORDER BY seq")[2] == (2, "s 2", "reversal")
    assert ask(store, "SELECT cause, effect, toUnixTimestamp64Nano(time) FROM edges_current ORDER BY cause") == [
        ("s 0", "s 1", NOW + SECOND), ("s 1", "s 2", NOW + 2 * SECOND),
    ]  # fmt: skip


def test_an_older_revision_does_not_win_and_withdrawn_evidence_goes(store: Store) -> None:
    store.write(findings(finding(3, evidence=2)))
    store.write(findings(finding(1, evidence=5), finding(2, evidence=4), first=1))
    assert one(store, "SELECT revision FROM findings FINAL") == 3
    assert one(store, "SELECT count() FROM evidence_current") == 2 and one(store, "SELECT count() FROM edges_current") == 1
    assert one(store, "SELECT count() FROM finding_revisions FINAL") == 3


def test_rows_older_than_the_store_keeps_are_counted(store: Store) -> None:
    old = msgspec.structs.replace(action(0), time=NOW - 31 * 24 * HOUR)
    written = store.write([(Position(SIGNALS, 0, 0), old), *actions(1, 3)])
    assert (written.expired, written.rows["signals"]) == (1, 2) and one(store, "SELECT count() FROM signals") == 2


def test_a_backfill_over_more_than_a_hundred_days(place: ClickHouse) -> None:
    settings = fresh(place, retention_days=400)
    init_store(Settings(clickhouse=settings))
    store = Store(settings)
    days = [(Position(SIGNALS, 0, n), msgspec.structs.replace(action(n), time=NOW - n * 24 * HOUR)) for n in range(150)]
    store.write(days)
    assert one(store, "SELECT count() FROM signals") == 150
    store.close()


# Again


def test_a_repeated_write_is_recognised(store: Store) -> None:
    sent = [*actions(0, 2500), *actions(0, 700, partition=1), *findings(finding(1), finding(2))]
    for _ in range(3):
        store.write(sent)
    assert one(store, "SELECT count() FROM signals") == 3200  # without FINAL: the inserts themselves are known
    assert one(store, "SELECT count() FROM finding_revisions") == 2


def test_batches_are_cut_at_the_same_offsets_however_they_come(store: Store) -> None:
    store.write(actions(0, 3000))
    for first in range(0, 3000, 1000):
        store.write(actions(first, first + 1000))
    assert one(store, "SELECT count() FROM signals") == 3000


def test_a_topic_made_anew_is_not_taken_for_the_old_one(store: Store) -> None:
    store.write(actions(0, 10))
    store.write([(Position(SIGNALS, 0, number), action(number + 100)) for number in range(10)])
    assert one(store, "SELECT count() FROM signals FINAL") == 20


@pytest.mark.parametrize("seed", range(3))
def test_replays_cut_otherwise_leave_each_row_once(store: Store, seed: int) -> None:
    """A writer that comes back again and again, before what it had stored, in batches of any size."""
    dice, sent, at = random.Random(seed), actions(0, 2600), 0
    revisions = findings(*(finding(n + 1) for n in range(20)))
    while at < len(sent):
        end = min(at + dice.randrange(1, 900), len(sent))
        store.write(sent[at:end] + revisions[: end // 130])
        at = max(0, end - dice.randrange(0, 400)) if end < len(sent) and dice.random() < 0.5 else end
    assert ask(store, "SELECT count(), uniqExact(id), sum(kafka_offset) FROM signals FINAL") == [(2600, 2600, sum(range(2600)))]
    assert ask(store, "SELECT count(), max(revision) FROM finding_revisions FINAL") == [(20, 20)]
    assert one(store, "SELECT count() FROM findings FINAL") == 1


# A writer that dies


def test_a_writer_killed_in_mid_insert_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    killed_and_written_again(tmp_path, rounds=2)


@pytest.mark.faults
def test_a_writer_killed_again_and_again(tmp_path: Path) -> None:
    killed_and_written_again(tmp_path, rounds=8)


def killed_and_written_again(tmp_path: Path, rounds: int) -> None:
    """Writers in processes of their own, each killed at some point; the next goes on from the last acknowledged offset."""
    settings = ClickHouse(path=str(tmp_path / "store"), serve="", batch=500)
    init_store(Settings(clickhouse=settings))
    dice, acknowledged = random.Random(rounds), 0
    for _ in range(rounds):
        command = [sys.executable, "-c", WRITER, settings.path, str(acknowledged), str(NOW)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
        assert writer.stdout is not None
        for _ in range(dice.randrange(3, 12)):
            acknowledged = int(writer.stdout.readline())
        time.sleep(dice.random() * 0.05)
        writer.kill()
        acknowledged = max(
            [acknowledged, *(int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith(b"\n"))]
        )
        writer.wait()
    store = Store(settings)
    assert one(store, f"SELECT uniqExact(kafka_offset) FROM signals WHERE kafka_offset < {acknowledged}") == acknowledged
    store.write(actions(acknowledged, acknowledged + 500))
    assert ask(store, "SELECT count() - uniqExact(id), max(kafka_offset) + 1 - count() FROM signals FINAL") == [(0, 0)]
    store.close()


WRITER = """
import sys
sys.path[:0] = [".", "tests"]
import store_records
from streams.settings import ClickHouse
from streams.store import Store
store, at, store_records.NOW = Store(ClickHouse(path=sys.argv[1], serve="", batch=500)), int(sys.argv[2]), int(sys.argv[3])
while True:
    store.write(store_records.actions(at, at + 500))
    at += 500
    print(at, flush=True)
"""


# A server that fails


@pytest.fixture
def patient(standin: Standin) -> Iterator[Store]:
    settings = fresh(of_standin(standin), timeout=2 * SECOND)
    init_store(Settings(clickhouse=settings))
    made = Store(settings)
    yield made
    made.close()


def insistently(store: Store, records: list[Record], limit_s: float = 20) -> int:
    """Writes until the store has taken it; answers how often it failed."""
    deadline = time.monotonic() + limit_s
    for failures in count():
        try:
            store.write(records)
            return failures
        except StoreAway as error:
            assert "\n" not in str(error) and time.monotonic() < deadline, error
            time.sleep(0.05)
    raise AssertionError


@pytest.mark.parametrize(("what", "failures"), [("reset", 0), ("hang", 1), ("error", 1)])
def test_an_insert_whose_outcome_is_unknown_is_stored_once(standin: Standin, patient: Store, what: str, failures: int) -> None:
    insistently(patient, actions(0, 10))
    standin.fault(what)
    assert insistently(patient, [*actions(10, 60), *findings(finding(1))]) >= failures
    assert one(patient, "SELECT count() FROM signals") == 60  # the repeat was recognised, not merely replaced
    assert one(patient, "SELECT count() FROM findings FINAL") == 1


def test_a_server_that_is_away_comes_back(tmp_path: Path) -> None:
    server = Standin(tmp_path / "store", free_port())
    settings = of_standin(server, batch=1000, timeout=2 * SECOND)
    store = Store(settings)
    with pytest.raises(StoreAway, match=f"ClickHouse at 127.0.0.1:{server.port} does not answer"):
        store.write(actions(0, 5))
    server.start()
    init_store(Settings(clickhouse=settings))
    store.write(actions(0, 5))
    server.kill()
    with pytest.raises(StoreAway):
        store.write(actions(5, 10))
    server.start()
    store.write(actions(5, 10))
    assert ask(store, "SELECT count(), uniqExact(id) FROM signals") == [(10, 10)]
    store.close()
    server.kill()


def test_a_wrong_password_is_refused_in_one_line(standin: Standin) -> None:
    settings = msgspec.structs.replace(of_standin(standin), password="wr0ng")
    with pytest.raises(StoreRefused, match=r"refuses user 'default': check clickhouse.username") as told:
        Store(settings).write(actions(0, 1))
    assert "\n" not in str(told.value) and "wr0ng" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, b"no", StoreRefused, "refuses user 'default': check clickhouse.username and clickhouse.password"),
        (403, b"Forbidden", StoreRefused, "refuses user 'default': check clickhouse.username and clickhouse.password"),
        (200, b"<html>hello</html>", StoreAway, "answers, but not as ClickHouse does: is clickhouse.port its HTTP port?"),
    ],
)
def test_another_server_than_clickhouse_is_told(status: int, body: bytes, kind: type[Exception], said: str) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *told: object) -> None:
            """Not into the output of the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(kind) as told:
            connect(ClickHouse(port=server.server_port))
        assert str(told.value) == f"ClickHouse at 127.0.0.1:{server.server_port} {said}"
        server.shutdown()


def test_topics_of_findings_and_signals_do_not_mix(store: Store) -> None:
    store.write([*actions(0, 3), *findings(finding(1))])
    assert (
        one(store, "SELECT any(kafka_topic) FROM signals") == SIGNALS
        and one(store, "SELECT any(kafka_topic) FROM findings") == FINDINGS
    )
