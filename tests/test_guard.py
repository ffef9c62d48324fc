"""What may be asked of an embedded store, as text; the same attempts on the engine are in tests/test_endpoint.py."""

from __future__ import annotations

import pytest

from streams.store.guard import DEFAULTS, OTHER_WAYS_OUT, Denied, guarded

BANNED = frozenset(OTHER_WAYS_OUT | {"url", "s3", "remote", "merge"})


def asked(sql: str, **settings: str):
    return guarded(sql, settings, BANNED)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  (SELECT 1) UNION ALL (SELECT 2);  ",
        "WITH 1 AS x SELECT x",
        "SHOW TABLES",
        "DESCRIBE findings",
        "EXPLAIN SELECT 1",
        "SELECT 'file('' url(', \"a b\", `c`, x['k'] FROM t WHERE title LIKE '%it\\'s ; a file%' -- file()",
        "SELECT a::String, {x:UInt8}, 1e-3, a ? b : c, [1, 2][1], n % 2, 'Zürich' FROM t /* url() */ WHERE NOT a != b",
    ],
)
def test_questions_are_let_through(sql: str) -> None:
    assert asked(sql).settings == DEFAULTS


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("", "is not a question"),
        ("INSERT INTO t VALUES (1)", "INSERT is not a question"),
        ("KILL QUERY WHERE 1", "KILL"),
        ("/* SELECT */ KILL QUERY WHERE 1", "KILL"),
        ("SET readonly = 0", "SET"),
        ("USE other", "USE"),
        ("EXISTS TABLE x", "EXISTS"),
        ("SYSTEM SHUTDOWN", "SYSTEM"),
        ("SELECT 1; KILL QUERY WHERE 1", "one statement"),
        ("SELECT 'a\\\\'; KILL QUERY WHERE 1 -- '", "one statement"),
        ("SELECT file('/etc/passwd')", "file reaches"),
        ("SELECT File /**/ ('/etc/passwd')", "file reaches"),
        ("SELECT `file`('/etc/passwd')", "file reaches"),
        ("SELECT \"file\"('/etc/passwd')", "file reaches"),
        ("SELECT `fi\\x6ce`('/etc/passwd')", "quote without its end"),
        ("SELECT * APPLY file FROM (SELECT '/etc/passwd')", "file reaches"),
        ("SELECT arrayMap(file, ['/etc/passwd'])", "file reaches"),
        ("SELECT 1 --\nINTO OUTFILE '/tmp/x'", "outfile reaches"),
        ("SELECT 1 INTO/**/OUTFILE '/tmp/x'", "outfile reaches"),
        ("DESCRIBE url('http://127.0.0.1/')", "url reaches"),
        ("SELECT * FROM eval('SELECT 1')", "eval reaches"),
        ("SELECT * FROM python(settings)", "python reaches"),
        ("SELECT * FROM default.`/etc/passwd`", "default reaches"),
        ("SHOW TABLES FROM `default`", "default reaches"),
        ("SELECT {f:Identifier}('/etc/passwd')", "identifier reaches"),
        ("SELECT $$a$$", "outside a string"),
        ("SELECT ‘a’", "outside a string"),
        ("SELECT 1 # x\n, file('/etc/passwd')", "outside a string"),
        ("SELECT 1 /* a /* b */ , 2 */", "a comment in a comment"),
        ("SELECT 1\0", "outside a string"),
        ("SELECT 1 /* x", "a comment without its end"),
    ],
)
def test_ways_out_are_closed(sql: str, why: str) -> None:
    with pytest.raises(Denied, match=why):
        asked(sql)


def test_comments_do_not_reach_the_engine() -> None:
    assert asked("SELECT 1 /* x */, 2 -- y\n").sql == "SELECT 1  , 2"


def test_the_format_that_the_text_names_is_known() -> None:
    assert asked("SELECT 1 FORMAT JSON").format == "JSON" and asked("SELECT 1 AS format").format == ""


def test_an_ad_hoc_filter_is_lifted_from_the_last_settings_clause() -> None:
    question = asked(
        "SELECT * FROM findings settings additional_table_filters={'findings' : ' agent = \\'a file\\' '}, max_threads = 2"
    )
    assert question.sql.strip() == "SELECT * FROM findings"
    assert question.settings["additional_table_filters"] == "{'findings':' agent = \\'a file\\' '}"
    assert question.settings["max_threads"] == "2"


def test_a_clause_with_anything_else_stays_for_the_engine_to_refuse() -> None:
    for clause in ("readonly = 0", "final = 1, readonly = 0", "max_threads = 2, allow_ddl = 1"):
        assert asked(f"SELECT 1 SETTINGS {clause}").sql.endswith(clause)


def test_a_settings_clause_before_format_is_lifted_too() -> None:
    question = asked("SELECT 1 SETTINGS max_threads = 2 FORMAT CSV")
    assert (question.sql.split(), question.settings["max_threads"], question.format) == (
        ["SELECT", "1", "FORMAT", "CSV"],
        "2",
        "CSV",
    )


@pytest.mark.parametrize(
    "filters",
    [
        "{'t': 'x = file(\\'/etc/passwd\\')'}",
        "{'t': '`file`(\\'/etc/passwd\\') = x'}",
        "{'t': 'fi\\x6ce(1)'}",
        "{'t': file('/etc/passwd')}",
        "{'t': 'x = \\'\\\\\\'\\' OR file(y)'}",
    ],
)
def test_a_filter_may_not_reach_out_either(filters: str) -> None:
    with pytest.raises(Denied):
        asked(f"SELECT 1 SETTINGS additional_table_filters = {filters}")
    with pytest.raises(Denied):
        asked("SELECT 1", additional_table_filters=filters)


def test_settings_beside_the_text_are_few_and_have_limits() -> None:
    assert asked("SELECT 1", max_execution_time="9000", max_result_rows="0").settings | {"x": ""} == {
        **DEFAULTS, "max_execution_time": "60", "max_result_rows": "1000000", "x": "",
    }  # fmt: skip
    assert asked("SELECT 1", final="0").settings["final"] == "0"
    for name in ("readonly", "allow_ddl", "user_files_path", "max_memory_usage"):
        with pytest.raises(Denied, match=f"the setting {name}"):
            asked("SELECT 1", **{name: "0"})
    with pytest.raises(Denied, match="not a number"):
        asked("SELECT 1", max_threads="(SELECT 1)")
