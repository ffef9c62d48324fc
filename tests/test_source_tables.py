"""`[[source]]` and `[[agent]]` of the settings file: each mistake is one line; what is right is written back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import AgentName, Settings, SourceTopic, source_topics
from streams.settings_file import SettingsError, load
from streams.settings_file.tables import LISTS, rows, with_rows, written_tables
from streams.settings_file.values import TABLES

GOOD = """
[[source]]
topic = "audit"
kind = "k8s-audit"
cluster = "prod"
domain = "platform"
[[source]]
topic = "audit.eu"
kind = "k8s-audit"
partitions = 3
[[agent]]
name = "terraform"
user_agent = "*terraform*"
"""


def loaded(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "x.toml").write_text(text)
    return load(str(tmp_path / "x.toml"), {}).settings


def test_they_are_read_and_reduce_reads_their_topics(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert settings.source == (
        SourceTopic(topic="audit", kind="k8s-audit", cluster="prod", domain="platform"),
        SourceTopic(topic="audit.eu", kind="k8s-audit", partitions=3),
    )
    assert settings.agent == (AgentName(name="terraform", user_agent="*terraform*"),)
    assert source_topics(settings) == ("interplay.events", "interplay.telemetry", "audit", "audit.eu")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert loaded(tmp_path, "\n".join(written_tables(settings))) == settings


def test_every_list_of_tables_has_its_place() -> None:
    assert set(LISTS) == set(TABLES)
    for name in LISTS:
        assert rows(with_rows(Settings(), name, ()), name) == ()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[source]\ntopic = 'a'", "source: must be tables, each under its own [[source]]"),
        ("[[source]]\nkind = 'k8s-audit'", "source 1: topic is missing: the full name of the topic"),
        ("[[source]]\ntopic = 'a b'\nkind = 'k8s-audit'", "source 1: topic: must be a topic's full name"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s_audit'", "source 1: kind: no kind 'k8s_audit'; did you mean k8s-audit?"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s-audit'\ncluser = 'x'", "source 1: cluser: no such field; did you mean cluster?"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s-audit'\ncluster = 'a/b'", "source 1: cluster: must be a name of at most 64"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s-audit'\npartitions = true", "source 1: partitions: must lie between 1 and 10000"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s-audit'\ndomain = ''", "source 1: domain: must be a text of 1 to 256"),
        ("[[source]]\ntopic = 'a'\nkind = 'k8s-audit'\n" * 2, "source: topic 'a' is given twice"),
        ("[[source]]\ntopic = 'interplay.signals'\nkind = 'k8s-audit'", "'interplay.signals' is a topic of interplay's own"),
        ("[[agent]]\nuser = 'a'", "agent 1: name is missing: what the agent is called"),
        ("[[agent]]\nname = 'x'", "agent 1: would be everybody's name; give user or user_agent"),
        ("[[agent]]\nname = 7\nuser = 'a'", "agent 1: name: must be a text of 1 to 256 characters in quotes, not 7"),
    ],
)
def test_mistakes_are_told_a_line_each(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text)
    assert any(mistake in line for line in raised.value.mistakes), raised.value.mistakes
