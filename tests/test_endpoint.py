"""The read-only endpoint over an embedded store, on the engine: clients read while the store is written, every way out is closed."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import clickhouse_connect
import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from store_records import actions, finding, findings

from streams.broker import free_port
from streams.settings import ClickHouse, Settings
from streams.store import Store, StoreRefused, init_store, open_store
from streams.store.endpoint import HELLO, Endpoint

SECRET = "nobody-may-read-this"


class Place:
    """An open store, its address, and a file that must not be read."""

    def __init__(self, settings: ClickHouse, store: Store, folder: Path) -> None:
        self.settings, self.store, self.folder = settings, store, folder
        self.port = int(settings.serve.rpartition(":")[2])
        (folder / "secret").write_text(SECRET)

    def client(self, **fields: object) -> Client:
        return clickhouse_connect.get_client(port=self.port, autogenerate_session_id=False, database="interplay", **fields)

    def post(self, sql: str, headers: dict[str, str] | None = None, **parameters: str) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/?" + urlencode(parameters), sql.encode(), headers or {})
        response = connection.getresponse()
        answer = (response.status, response.read(), dict(response.headers))
        connection.close()
        return answer


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("endpoint")
    settings = ClickHouse(path=str(folder / "store"), serve=f"127.0.0.1:{free_port()}")
    init_store(Settings(clickhouse=settings))
    with open_store(Settings(clickhouse=settings)) as store:
        store.write([*actions(0, 100), *findings(finding(1), finding(2))])
        yield Place(settings, store, folder)


def test_clickhouse_connect_reads(place: Place) -> None:
    client = place.client()
    assert client.query("SELECT count(), max(new) FROM signals").result_rows == [(100, "99")]
    assert client.query("SELECT {a:UInt8} + 1 AS b", parameters={"a": 4}).result_rows == [(5,)]
    assert client.raw_query("SELECT 1 AS x", fmt="CSVWithNames") == b'"x"\n1\n'
    assert client.command("SELECT count() FROM findings") == 1
    assert client.query("SELECT * FROM signals LIMIT 0").column_names[0] == "domain"
    with client.query_rows_stream("SELECT number FROM numbers(100000)") as stream:
        assert sum(row[0] for row in stream) == 4999950000
    with pytest.raises(DatabaseError) as told:
        client.query("SELECT nope FROM signals")
    assert told.value.code == 47
    client.close()


def test_superseded_rows_are_left_out_without_asking(place: Place) -> None:
    place.store.write(findings(finding(3), first=7))
    assert place.client().query("SELECT count(), max(revision) FROM findings").result_rows == [(1, 3)]
    assert place.post("SELECT count() FROM findings", final="0")[1] != b"1\n"


def test_readers_and_the_writer_do_not_stop_each_other(place: Place) -> None:
    counts: list[list[int]] = [[] for _ in range(6)]

    def read(mine: list[int]) -> None:
        client = place.client()
        mine += [client.query("SELECT uniqExact(id) FROM signals WHERE domain = 'd9'").result_rows[0][0] for _ in range(10)]
        client.close()

    readers = [threading.Thread(target=read, args=(mine,)) for mine in counts]
    for reader in readers:
        reader.start()
    for first in range(0, 2000, 200):
        place.store.write(actions(first, first + 200, partition=9))
    for reader in readers:
        reader.join()
    assert all(len(mine) == 10 and mine == sorted(mine) for mine in counts)
    assert place.client().command("SELECT count() FROM signals WHERE domain = 'd9'") == 2000


WAYS_OUT = [
    "SELECT file('{secret}')",
    "SELECT `file`('{secret}')",
    "SELECT * APPLY file FROM (SELECT '{secret}')",
    "SELECT arrayMap(file, ['{secret}'])",
    "SELECT * FROM file('{secret}', 'LineAsString')",
    "SELECT * FROM `{secret}`",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM default.`{secret}`",
    "SELECT * FROM eval('SELECT file(''{secret}'')')",
    "SELECT * FROM filesystem('{secret}')",
    "DESCRIBE file('{secret}')",
    "EXISTS TABLE default.`{secret}`",
    "SELECT * FROM url('http://127.0.0.1:{port}/ping', 'LineAsString')",
    "DESCRIBE url('http://127.0.0.1:{port}/ping', 'LineAsString')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV')",
    "SELECT * FROM python(place)",
    "SELECT * FROM executable('id', 'LineAsString', 'a String')",
    "SELECT 1 INTO OUTFILE '{out}'",
    "SELECT 1 INTO/**/OUTFILE '{out}'",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS final = 1, readonly = 0",
    "SET readonly = 0",
    "SELECT 1; SET readonly = 0",
    "SELECT 1; SELECT 2",
    "KILL QUERY WHERE 1",
    "SELECT 1; KILL QUERY WHERE 1",
    "INSERT INTO signals (id) VALUES ('x')",
    "INSERT INTO FUNCTION file('{out}') SELECT 1",
    "CREATE TABLE x (a UInt8) ENGINE = File(CSV, '{out}')",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "ALTER TABLE signals DELETE WHERE 1",
    "DROP TABLE signals",
    "TRUNCATE TABLE signals",
    "OPTIMIZE TABLE signals FINAL",
    "BACKUP TABLE signals TO File('{out}')",
    "SYSTEM SHUTDOWN",
    "ATTACH TABLE x FROM '{out}' (a UInt8) ENGINE = MergeTree ORDER BY a",
    "SELECT count() FROM signals SETTINGS additional_table_filters = {{'signals': 'id = file(\\'{secret}\\')'}}",
    "SELECT count() FROM signals SETTINGS additional_table_filters = {{'signals': 'id IN (SELECT * FROM file(\\'{secret}\\'))'}}",
    "SELECT count() FROM signals FORMAT Template SETTINGS format_template_row = '{secret}'",
]


@pytest.mark.parametrize("attempt", WAYS_OUT)
def test_every_way_out_is_closed(place: Place, attempt: str) -> None:
    out = place.folder / "out"
    sql = attempt.format(secret=place.folder / "secret", out=out, port=place.port)
    for sent in (place.post(sql), place.post("", query=sql)):
        status, body, headers = sent
        assert status >= 400 and int(headers["X-ClickHouse-Exception-Code"]) and SECRET.encode() not in body, body
    assert not out.exists()
    assert place.post("SELECT count() > 0 FROM signals")[1] == b"1\n"


@pytest.mark.parametrize("name", ["readonly", "allow_ddl", "max_memory_usage", "user_files_path", "log_queries"])
def test_settings_beside_the_question_are_refused(place: Place, name: str) -> None:
    status, body, _ = place.post("SELECT 1", **{name: "0"})
    assert status == 403 and name.encode() in body


def test_other_databases_and_uploads_are_refused(place: Place) -> None:
    assert place.post("SELECT 1", database="elsewhere")[0] == 404
    assert place.post("SELECT currentDatabase()", database="default")[1] == b"interplay\n"
    assert place.post("SELECT 1", default_format="CSV; SELECT 2")[0] == 500
    packed = gzip.compress(b"SELECT file('/etc/hostname')")
    connection = http.client.HTTPConnection("127.0.0.1", place.port)
    connection.request("POST", "/", packed, {"Content-Encoding": "gzip"})
    assert connection.getresponse().status >= 400
    connection.close()


def test_an_ad_hoc_filter_works_and_does_not_stay(place: Place) -> None:
    sql = "SELECT count() FROM signals WHERE domain = 'd0'"
    assert place.post(sql + " settings additional_table_filters={'signals' : ' new = \\'7\\' '}")[1] == b"1\n"
    assert place.post(sql)[1] == b"100\n"


def test_limits(place: Place) -> None:
    status, _, headers = place.post("SELECT number FROM numbers(1000001)")
    assert headers["X-ClickHouse-Exception-Code"] == "396" and status == 500
    assert place.post("SELECT sum(sleepEachRow(1)) FROM numbers(3)", max_execution_time="1", max_block_size="1")[2][
        "X-ClickHouse-Exception-Code"
    ] in ("159", "160")


def test_answers_say_what_clients_look_at(place: Place) -> None:
    status, body, headers = place.post(
        "SELECT 1 AS x FORMAT JSONEachRow", {"Accept-Encoding": "gzip"}, enable_http_compression="1", query_id="q-7"
    )
    assert (status, json.loads(gzip.decompress(body))) == (200, {"x": 1})
    assert (headers["X-ClickHouse-Format"], headers["X-ClickHouse-Query-Id"]) == ("JSONEachRow", "q-7")
    assert "read_rows" in json.loads(headers["X-ClickHouse-Summary"])
    assert place.post("")[1] == b"Ok.\n"


def test_clickhouse_go_is_told_revision_0_in_a_block_of_its_own_revision(place: Place) -> None:
    body = place.post(HELLO, client_protocol_version="54460", default_format="Native")[1]
    assert body.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00")
    assert b"\x0arevision()\x06UInt32\x00\x00\x00\x00\x00" in body and body.endswith(b"\x0atimezone()\x06String\x00\x03UTC")


def test_a_page_in_a_browser_cannot_ask_under_another_name(place: Place) -> None:
    assert place.post("SELECT 1", {"Host": "evil.example"})[0] == 401
    assert place.post("SELECT 1", {"Host": f"localhost:{place.port}"})[0] == 200


def test_a_password_is_asked_where_one_is_set(place: Place) -> None:
    guarded = msgspec.structs.replace(place.settings, serve=f"0.0.0.0:{free_port()}", serve_password="s3same")
    endpoint = Endpoint(guarded)
    endpoint.start()
    try:
        other = Place(guarded, place.store, place.folder)
        assert other.post("SELECT 1")[0] == 401 and other.post("SELECT 1", {"X-ClickHouse-Key": "s3sam"})[0] == 401
        assert other.post("SELECT 1", {"Authorization": "Basic %%%"})[0] == 401
        basic = {"Authorization": "Basic " + b64encode(b"grafana:s3same").decode()}
        for headers in (basic, {"X-ClickHouse-Key": "s3same", "X-ClickHouse-User": "grafana"}):
            assert other.post("SELECT 1", headers)[1] == b"1\n"
        assert other.post("SELECT 1", password="s3same")[1] == b"1\n"
        assert other.client(password="s3same").command("SELECT 1") == 1
    finally:
        endpoint.stop()


def test_it_listens_elsewhere_only_with_a_password_and_says_when_a_port_is_taken(place: Place) -> None:
    with pytest.raises(StoreRefused, match=r"set clickhouse\.serve_password"):
        Endpoint(msgspec.structs.replace(place.settings, serve=f"0.0.0.0:{free_port()}")).start()
    with pytest.raises(StoreRefused, match=r"cannot listen on .*choose another port"):
        Endpoint(place.settings).start()


def test_a_question_in_the_address_works_as_a_link(place: Place) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", place.port)
    connection.request("GET", "/?query=" + quote("SELECT 1 + 1"))
    assert connection.getresponse().read() == b"2\n"
    connection.close()
