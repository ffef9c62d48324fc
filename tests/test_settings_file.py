"""Loading settings: files, environment, types, ranges, rules between settings, secrets, and that nothing is left undocumented."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.instants import HOUR, MINUTE, SECOND
from streams.settings import Settings
from streams.settings_file import Loaded, SettingsError, load
from streams.settings_file.keys import FILE_KEYS, KEYS, SECRETS, variable
from streams.settings_file.reference import page
from streams.settings_file.values import FORMS, lookup, written


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str = "", **environment: str) -> Loaded:
    Path("x.toml").write_text(text)
    return load("x.toml", environment)


def mistakes(text: str = "", **environment: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        loaded(text, **environment)
    return caught.value.mistakes


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None, {}) == Loaded(Settings(), dict.fromkeys(FORMS, "default"))


def test_the_file_is_looked_for_in_the_documented_order() -> None:
    for name, prefix in (("interplay.toml", "here"), ("named.toml", "named"), ("given.toml", "given")):
        Path(name).write_text(f'[kafka]\nprefix = "{prefix}"\n')
    assert load(None, {}).settings.kafka.prefix == "here"
    assert load(None, {"INTERPLAY_CONFIG": "named.toml"}).settings.kafka.prefix == "named"
    assert load("given.toml", {"INTERPLAY_CONFIG": "named.toml"}).settings.kafka.prefix == "given"


def test_the_environment_wins_and_origins_tell() -> None:
    found = loaded("[analysis.thrashing]\nclose = 0.5\ndeadband = 1\n", INTERPLAY_ANALYSIS__THRASHING__CLOSE="0.25")
    assert found.settings.analysis.thrashing.close == 0.25
    assert found.settings.analysis.thrashing.deadband == 1
    assert found.origins["analysis.thrashing.close"] == "INTERPLAY_ANALYSIS__THRASHING__CLOSE"
    assert found.origins["analysis.thrashing.deadband"] == "x.toml"
    assert found.origins["analysis.thrashing.open_plain"] == "default"


def test_each_kind_of_value_can_be_written_both_ways() -> None:
    text = """
[analysis]
window = "10m"
thrashing.half_lives = ["90s", "1h"]
[topics]
sources = ["a", "b"]
signals_partitions = 3
[clickhouse]
secure = true
[alert]
min_severity = "error"
min_confidence = 0.75
"""
    environment = {
        "INTERPLAY_ANALYSIS__WINDOW": "10m",
        "INTERPLAY_ANALYSIS__THRASHING__HALF_LIVES": "90s, 1h",
        "INTERPLAY_TOPICS__SOURCES": "a,b",
        "INTERPLAY_TOPICS__SIGNALS_PARTITIONS": "3",
        "INTERPLAY_CLICKHOUSE__SECURE": "yes",
        "INTERPLAY_ALERT__MIN_SEVERITY": "error",
        "INTERPLAY_ALERT__MIN_CONFIDENCE": "0.75",
    }
    settings = loaded(text).settings
    assert settings == loaded("", **environment).settings
    assert settings.analysis.window == 10 * MINUTE
    assert settings.analysis.thrashing.half_lives == (90 * SECOND, HOUR)
    assert settings.topics.sources == ("a", "b")


def test_every_setting_is_in_the_table_and_every_number_has_a_range() -> None:
    assert set(FORMS) == set(KEYS)
    texts = {
        "topics.sources",
        "analysis.conflict.overruling",
        "analysis.conflict.slo_guards",
        "otlp.quantiles",
        "kubernetes.metadata",
    }
    for name, form in FORMS.items():
        numeric = form.kind in ("number", "whole number") or (form.kind == "list" and name not in texts)
        assert (KEYS[name].low is not None and KEYS[name].high is not None) == numeric, name


def test_every_duration_is_known_to_be_one() -> None:
    """A duration is ns, hence at least a million; a count of that size is a limit and named so."""
    counts = {"analysis.limits.graph_events", "topics.record_limit"}
    for name, form in FORMS.items():
        values = form.default if isinstance(form.default, tuple) else (form.default,)
        large = any(isinstance(value, int) and value >= 1_000_000 for value in values)
        assert KEYS[name].duration == (large and name not in counts), name


def test_every_setting_reads_back_what_is_printed() -> None:
    for name, form in FORMS.items():
        *tables, key = name.split(".")
        text = f"[{'.'.join(tables)}]\n{key} = {written(name, form.default)}\n"
        found = loaded(text)
        assert lookup(found.settings, name) == form.default, name
        assert found.origins[name] == "x.toml"


def test_all_mistakes_are_told_one_line_each() -> None:
    text = """
[kafka]
bootstrp = "b:1"
security = "sasl_ssl"
poll_records = true
[analysis]
window = 15
memory = "soon"
[analysis.time]
lateness = "0s"
[topics]
signals_partitions = 0
sources = "events"
[clickhouse]
port = "8123"
secure = "perhaps"
[alert]
min_confidence = "high"
"""
    assert mistakes(text, INTERPLAY_WORKER__HTTP_PORT="x", INTERPLAY_ALERT__OBSERVE="1", INTERPLAY_KAFKA_PREFIX="p") == (
        "x.toml: kafka.bootstrp: no such setting; did you mean kafka.bootstrap?",
        "INTERPLAY_ALERT__OBSERVE: no such setting; did you mean INTERPLAY_ALERT__OBSERVE_ONLY?",
        "INTERPLAY_KAFKA_PREFIX: no such setting; did you mean INTERPLAY_KAFKA__PREFIX?",
        "x.toml: kafka.security: must be one of PLAINTEXT, SASL_PLAINTEXT, SASL_SSL, SSL, not 'sasl_ssl'; did you mean SASL_SSL?",
        "x.toml: kafka.poll_records: must be a whole number, not True",
        'x.toml: analysis.window: must be a duration in quotes like "15m", "2h" or "30d", not 15',
        'x.toml: analysis.memory: not a duration like "15m", "2h" or "30d": \'soon\'',
        "x.toml: analysis.time.lateness: must lie between 1ms and 1d, not '0s'",
        "x.toml: topics.signals_partitions: must lie between 1 and 10000, not 0",
        "x.toml: topics.sources: must be a list, not 'events'",
        "x.toml: clickhouse.port: must be a whole number, not '8123'",
        "x.toml: clickhouse.secure: must be true or false, not 'perhaps'",
        "x.toml: alert.min_confidence: must be a number, not 'high'",
        "INTERPLAY_WORKER__HTTP_PORT: must be a whole number, not 'x'",
    )


def test_rows_cannot_be_kept_for_longer_than_the_store_can_count() -> None:
    assert loaded("[clickhouse]\nretention_days = 10000").settings.clickhouse.retention_days == 10_000
    line = "clickhouse.retention_days: must lie between 1 and 10000, not "
    assert mistakes("[clickhouse]\nretention_days = 10001") == (f"x.toml: {line}10001",)
    told = mistakes("", INTERPLAY_CLICKHOUSE__RETENTION_DAYS="36500")
    assert told == ("INTERPLAY_CLICKHOUSE__RETENTION_DAYS: must lie between 1 and 10000, not 36500",)


def test_what_kubernetes_says_of_a_service_of_that_name_is_no_mistake() -> None:
    given = {"INTERPLAY_CLICKHOUSE_PORT": "tcp://10.0.0.1:8123", "INTERPLAY_KAFKA_SERVICE_HOST": "10.0.0.2"}
    assert loaded("", **given).settings == Settings()


def test_files_that_cannot_be_used() -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file or directory"):
        load("none.toml", {})
    assert mistakes("[kafka\n") == ("x.toml: not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 7)",)
    assert mistakes("kafka = 3\n") == ("x.toml: kafka: no such setting; `interplay config` lists them all",)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('kafka.heartbeat = "11s"', "kafka.heartbeat", "more than a third of kafka.session_timeout (30s)"),
        ('kafka.security = "SASL_SSL"', "kafka.security", "kafka.sasl_password_file"),
        ('kafka.tls_key = "k.pem"', "kafka.tls_certificate", "set both or neither"),
        ('kafka.bootstrap = "broker"', "kafka.bootstrap", "broker-1:9092"),
        ('kafka.bootstrap = "a:1,b:99999"', "kafka.bootstrap", "broker-1:9092"),
        ('kafka.prefix = "a b"', "kafka.prefix", "cannot begin a topic's name"),
        ("topics.sources = []", "topics.sources", "nothing would be read"),
        ('topics.sources = ["signals"]', "topics.sources", "interplay writes itself"),
        ('topics.sources = ["a", "a"]', "topics.sources", "twice"),
        ('topics.sources = ["a b"]', "topics.sources", "not a topic's name"),
        ('topics.retention = "2h"', "topics.retention", "set at least 2h20s"),
        ('clickhouse.database = "a-b"', "clickhouse.database", "underscores"),
        ('clickhouse.serve = "8124"', "clickhouse.serve", "127.0.0.1:8124"),
        ('alert.alertmanager = "am:9093"', "alert.alertmanager", "http://"),
        ('alert.password = "p"', "alert.password", "without alert.username"),
        ('analysis.window = "1h"', "analysis.memory", "set at least 2h20s"),
        ('analysis.time.idle_timeout = "5s"', "analysis.time.idle_timeout", "shorter than analysis.time.lateness (10s)"),
        ('analysis.tombstone = "1h"', "analysis.tombstone", "shorter than analysis.memory (2h)"),
        ('analysis.facts_age = "1h"', "analysis.facts_age", "shorter than analysis.memory (2h)"),
        ('analysis.thrashing.half_lives = ["1h", "2m"]', "analysis.thrashing.half_lives", "must ascend"),
        ('analysis.thrashing.half_lives = ["3h"]', "analysis.thrashing.half_lives", "longer than analysis.memory"),
        ("analysis.thrashing.close = 2", "analysis.thrashing.close", "as it begins"),
        ("analysis.thrashing.open_exact = 4", "analysis.thrashing.open_exact", "stronger evidence"),
    ],
)
def test_rules_between_settings(text: str, place: str, words: str) -> None:
    (line,) = mistakes(text)
    assert place in line.split(": ", 2)[0 if line.startswith(place) else 1]
    assert words in line


def test_a_rule_is_told_beside_mistakes_elsewhere_but_not_on_top_of_them() -> None:
    both = mistakes('kafka.heartbeat = "11s"\ntopics.replication = 0\n')
    assert [line.split(": ")[1] for line in both] == ["topics.replication", "kafka.heartbeat"]
    assert len(mistakes('kafka.heartbeat = "11s"\nkafka.session_timeout = 40\n')) == 1


def test_secrets_come_from_files_and_are_never_shown() -> None:
    Path("secret").write_text("tops3cret\n")
    Path("x.toml").write_text("")
    for key, name in FILE_KEYS.items():
        found = load("x.toml", {variable(key): "secret", "INTERPLAY_ALERT__USERNAME": "u"})
        assert lookup(found.settings, name) == "tops3cret"
        assert found.origins[name] == f"{variable(key)} (secret)"
        assert written(name, "tops3cret") == '"******"'
    assert len(SECRETS) == 4
    both = mistakes('kafka.sasl_password = "tops3cret"\nkafka.sasl_password_file = "secret"\nclickhouse.password = 17\n')
    assert both == (
        "x.toml: kafka.sasl_password_file: kafka.sasl_password is given twice, also as x.toml: kafka.sasl_password; keep one",
        "x.toml: clickhouse.password: must be a text in quotes",
    )
    (line,) = mistakes('clickhouse.password_file = "none"\n')
    assert line == "x.toml: clickhouse.password_file: none cannot be read: No such file or directory"


def test_every_setting_is_documented() -> None:
    written_page = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
    assert written_page == page(), "run: interplay config --reference > docs/configuration.md"
    for name in FORMS:
        assert f"`{variable(name)}`" in written_page
