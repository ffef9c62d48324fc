"""`[[map]]` rules: paths, conditions, parts of events, every mistake a line, and what becomes of records that no rule fits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from test_cli import interplay

from models.events import Action, Dependency, Verdict
from models.instants import parse_time
from models.rejection import Rejection
from streams.settings import Settings
from streams.settings_file import SettingsError, load
from streams.settings_file.maps import written_map
from streams.sources.mapping import applying
from streams.sources.mapping.applying import Made, Unmet, made_of
from streams.sources.mapping.paths import find, parse_path
from streams.sources.mapping.reading import Mistakes, read_rule
from streams.sources.mapping.rules import Rule
from streams.sources.mapping.source import Mapped
from streams.sources.mapping.times import lacks_zone
from streams.sources.source import Origin

RECORD: dict[str, Any] = {
    "kind": "scaled",
    "at": "2026-11-24T10:00:00Z",
    "cluster": {"name": "prod", "labels": {"app.kubernetes.io/name": "cart"}},
    "size": "16",
    "tags": ["a", "b"],
    "steps": [{"to": 1, "who": "x", "ways": [{"n": 1}, {"n": 2}]}, {"to": 2, "ways": [{"n": 3}]}],
    "nothing": None,
    "ready": False,
}
TABLE: dict[str, Any] = {
    "name": "r",
    "type": "action",
    "attributes": {"id": "e1", "source": "s", "time": {"path": "at"}, "subject": "db/{cluster.name}"},
    "data": {"agent": "scaler", "verb": "scale", "parameter": "size"},
}


def rule(data: dict[str, Any] | None = None, **more: Any) -> Rule:
    return read_rule({**TABLE, "data": {**TABLE["data"], **(data or {})}, **more})


def outcomes(rules: list[Rule], record: Any = RECORD) -> list[Made | Unmet]:
    return list(made_of(record, json.dumps(record).encode(), rules))


def event(made: Rule, record: Any = RECORD) -> Any:
    (only,) = outcomes([made], record)
    assert isinstance(only, Made)
    return only.event


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "scaled"),
        ("cluster.name", "prod"),
        ('cluster.labels["app.kubernetes.io/name"]', "cart"),
        ("tags[0]", "a"),
        ("tags[-1]", "b"),
        ("tags[2]", UNSET),
        ("tags.a", UNSET),
        ("steps[1].to", 2),
        ("steps[*].to", [1, 2]),
        ("steps[*].who", ["x"]),
        ("steps[*].ways[*].n", [1, 2, 3]),
        ("kind[*]", UNSET),
        ("nothing", None),
        ("nothing.more", UNSET),
        ("@", UNSET),
    ],
)
def test_paths(path: str, value: object) -> None:
    assert find(parse_path(path), RECORD, UNSET) == value


def test_an_element_is_where_a_path_begins() -> None:
    assert find(parse_path("@.to"), RECORD, {"to": 3}) == 3 == find(parse_path("@"), RECORD, 3)


@pytest.mark.parametrize("path", ["", "a b", "a[", "a[x]", ".a", "{a}", 'a["b', "a..b"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=r"path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ({"path": "kind", "equals": "scaled"}, ""),
        ({"path": "kind", "equals": "made"}, 'kind is "scaled", not "made"'),
        ({"path": "kind", "in": ["made", "scaled"]}, ""),
        ({"path": "kind", "in": ["made", 3]}, 'kind is "scaled", not "made" or 3'),
        ({"path": "other", "equals": "x"}, "other is not there"),
        ({"path": "other", "exists": False}, ""),
        ({"path": "kind", "exists": False}, "kind is there"),
        ({"path": "nothing", "exists": True}, "nothing is not there"),
        ({"path": "steps[*].none", "exists": True}, "steps[*].none is not there"),
        ({"path": "ready", "exists": True, "equals": False}, ""),
        ({"path": "ready", "equals": 0}, "ready is false, not 0"),
        ({"path": "size", "matches": r"^\d+$"}, ""),
        ({"path": "size", "matches": "x"}, "size is \"16\", which does not match 'x'"),
        ({"path": "cluster", "matches": "x"}, "cluster is"),
        ({"path": "tags[*]", "equals": "b"}, ""),
        ({"path": "tags[*]", "equals": "c"}, 'tags[*] is ["a","b"], not "c"'),
        ({"path": "tags", "equals": ["a", "b"]}, ""),
    ],
)
def test_conditions_say_why_they_do_not_hold(condition: dict[str, Any], why: str) -> None:
    (only,) = outcomes([rule(when=[condition])])
    if why:
        assert isinstance(only, Unmet) and only.why.startswith(why)
    else:
        assert isinstance(only, Made) and isinstance(only.event, Action)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (16, 16),
        (["a", "b"], ("a", "b")),
        ("{cluster.name}-{size}", "prod-16"),
        ("{ready}", "false"),
        ("{cluster}", UNSET),
        ("{other}", UNSET),
        ("{nothing}", UNSET),
        ({"path": "size"}, "16"),
        ({"path": "size", "type": "number"}, 16),
        ({"path": "tags"}, ("a", "b")),
        ({"path": "steps[*].to"}, (1, 2)),
        ({"path": "nothing"}, None),
        ({"path": "other"}, UNSET),
        ({"path": "other", "default": 3}, 3),
        ({"path": "kind", "words": {"scaled": "up"}}, "up"),
        ({"path": "kind", "words": {"made": "up"}}, UNSET),
        ({"path": "kind", "words": {"made": "up"}, "default": "?"}, "?"),
        ({"path": "ready", "words": {"false": 0}}, 0),
        ({"path": "ready", "type": "text"}, "false"),
        ({"path": "kind", "type": "list"}, ("scaled",)),
        ({"path": "tags[0]", "type": "hash"}, "sha256:ac8d8342bbb2362d"),
        ({"path": "steps[0].to", "type": "boolean"}, True),
        (["{kind}", {"path": "tags[1]"}, {"path": "other"}], ("scaled", "b")),
    ],
)
def test_parts(part: Any, value: object) -> None:
    assert event(rule({"new": part})).new == value


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e3", 1000), (" 2.50 ", 2.5), ("-7", -7), ("9" * 30, 1e30), (3.5, 3.5), (True, None), ("0x10", None), ("nan", None)],
)
def test_numbers_from_text(text: object, number: float | None) -> None:
    found = event(rule({"new": {"path": "n", "type": "number"}}), {**RECORD, "n": text})
    if number is None:
        assert isinstance(found, Rejection) and (found.reason, found.path) == ("wrong_type", "data.new")
    else:
        assert found.new == number and type(found.new) is type(number)


@pytest.mark.parametrize(
    ("value", "unit", "time"),
    [
        (1795514520, "s", 1795514520 * 10**9),
        (1795514520.25, "s", 1795514520 * 10**9 + 250_000_000),
        ("1795514520123", "ms", 1795514520123 * 10**6),
        (1795514520123456, "us", 1795514520123456 * 10**3),
        (1795514520123456789, "ns", 1795514520123456789),
        ("2026-11-24T10:00:00+01:00", "rfc3339", 1795510800 * 10**9),
    ],
)
def test_times_as_numbers(value: object, unit: str, time: int) -> None:
    made = rule(attributes={**TABLE["attributes"], "time": {"path": "t", "format": unit}})
    assert event(made, {**RECORD, "t": value}).time == time


@pytest.mark.parametrize(
    ("value", "reason"),
    [("soon", "wrong_type"), (True, "wrong_type"), ({}, "wrong_type"), (1e30, "time_out_of_range"), (-1, "time_out_of_range")],
)
def test_what_is_no_time(value: object, reason: str) -> None:
    made = rule(attributes={**TABLE["attributes"], "time": {"path": "t", "format": "s"}})
    found = event(made, {**RECORD, "t": value})
    assert isinstance(found, Rejection) and (found.reason, found.path) == (reason, "time")


@pytest.mark.parametrize("value", ["1e999999", "-1e999999", "1e999990", "9" * 300_000])
@pytest.mark.parametrize("unit", ["s", "ns", "rfc3339"])
def test_a_huge_number_is_refused_without_being_computed(value: str, unit: str) -> None:
    """These ended the worker by decimal.Overflow, or took it half a minute of arithmetic each."""
    began = time.process_time()
    found = event(rule(attributes={**TABLE["attributes"], "time": {"path": "t", "format": unit}}), {**RECORD, "t": value})
    assert isinstance(found, Rejection) and found.path == "time" and time.process_time() - began < 1.0


def test_what_is_missing_names_the_path_that_found_nothing() -> None:
    found = event(rule({"agent": "{who}"}))
    assert found == Rejection("missing_field", "data.agent", "rule r: `data.agent` is required; there is no who")


@pytest.mark.parametrize(
    ("time", "value", "words"),
    [
        ({"path": "t"}, 1795514520000, 'a number needs its unit: { path = "t", format = "ms" }'),
        ("{t}", 1795514520, 'a number needs its unit: { path = "t", format = "s" }'),
        ({"path": "t", "format": "s"}, 1795514520000, "outside 1970-2262: 1795514520000, is it in ms?"),
        ({"path": "t", "format": "ms"}, "1795514520000000000", "is it in ns?"),
    ],
)
def test_a_time_in_the_wrong_unit_says_which_would_fit(time: object, value: object, words: str) -> None:
    found = event(rule(attributes={**TABLE["attributes"], "time": time}), {**RECORD, "t": value})
    assert isinstance(found, Rejection) and found.path == "time" and words in found.detail


@pytest.mark.parametrize(
    ("time", "unit", "meant"),
    [
        ("2026-11-24 10:00:00 +0200", "", "2026-11-24T08:00:00Z"),  # GitLab
        ("2026-11-24 10:00:00 UTC", "", "2026-11-24T10:00:00Z"),
        ("2026-11-24T10:00:00,25GMT", "rfc3339", "2026-11-24T10:00:00.25Z"),
        ("2026-11-24T10:00:00,25Z", "", "2026-11-24T10:00:00.25Z"),
        ("2026-11-24t10:00:00-03", "", "2026-11-24T13:00:00Z"),
        ("2026-11-24T10:00:00.1234567Z", "", "2026-11-24T10:00:00.1234567Z"),  # Azure
        ("2026-11-24 10:00:00", "utc", "2026-11-24T10:00:00Z"),
        ("2026-11-24T10:00:00+01:00", "utc", "2026-11-24T09:00:00Z"),
    ],
)
def test_times_as_others_write_them(time: str, unit: str, meant: str) -> None:
    for part in ({"path": "t", "format": unit}, *(("{t}",) if not unit else ())):
        made = rule(attributes={**TABLE["attributes"], "time": part})
        assert event(made, {**RECORD, "t": time}).time == parse_time(meant)


def test_a_time_without_a_zone_is_not_guessed() -> None:
    made = rule(attributes={**TABLE["attributes"], "time": {"path": "t"}})
    found = event(made, {**RECORD, "t": "2026-11-24 10:00:00"})
    assert found.reason == "bad_time" and found.detail.endswith(
        'it says no zone: { path = "t", format = "utc" } where it means UTC'
    )
    assert event(made, {**RECORD, "t": "2026-13-24 10:00:00 UTC"}).reason == "bad_time"
    assert [lacks_zone(text) for text in ("2026-11-24 10:00:00", "2026-11-24 10:00:00 +02", "10:00", 7)] == [
        True,
        False,
        False,
        False,
    ]


def test_an_object_for_a_value_says_what_to_do() -> None:
    found = event(rule({"new": {"path": "cluster"}}))
    assert found.detail.endswith('an object needs a path into it, or its hash: { path = "cluster", type = "hash" }')


def test_paths_go_into_texts_that_hold_json() -> None:
    """As SNS and SQS carry it; twice, where one is in the other."""
    inner = json.dumps({"Message": json.dumps({"size": 4, "who": ["x"], "password": "hunter2"})})
    record = {**RECORD, "Body": inner, "broken": "{", "plain": "[x]"}
    made = rule({"new": {"path": "Body.Message.size"}, "agent": "{Body.Message.who[0]}", "old": {"path": "Body.Message.password"}})
    assert (event(made, record).new, event(made, record).agent) == (4, "x") and event(made, record).old.startswith("sha256:")
    for path in ("broken.a", "plain[0]", "kind.a", "Body.Message.size.a"):
        assert find(parse_path(path), record, UNSET) is UNSET


def test_null_is_nothing_where_there_is_a_default() -> None:
    assert event(rule({"new": {"path": "nothing", "default": 3}})).new == 3
    assert event(rule({"new": {"path": "nothing"}})).new is None


def test_a_number_within_braces_says_how_it_stays_one() -> None:
    found = event(read_rule({**TABLE, "type": "sample", "data": {"metric": "m", "value": "{size}"}}))
    assert isinstance(found, Rejection) and found.detail.endswith('braces make a text: { path = "size" } leaves it as it is')


def test_nested_data_and_the_other_types() -> None:
    nested = event(
        rule({"why": {"text": "{kind}"}, "reads": [{"resource": "db/{cluster.name}", "metric": "cpu", "value": {"path": "size"}}]})
    )
    assert nested.why.text == "scaled" and nested.reads[0].resource == "db/prod" and nested.reads[0].value == "16"
    time = {"time": {"path": "at"}}
    edge = read_rule(
        {"name": "d", "type": "dependency", "attributes": time, "data": {"from": "{kind}", "to": "b", "kind": "calls"}}
    )
    assert isinstance(event(edge), Dependency) and event(edge).dependent == "scaled"
    data = {"agent": "a", "rollout": "{size}", "verdict": "pass"}
    verdict = read_rule({"name": "v", "type": "verdict", "attributes": {**time, "subject": "x"}, "data": data})
    assert isinstance(event(verdict), Verdict) and event(verdict).source == "map/v"


def test_every_element_makes_an_event_with_an_id_of_its_own() -> None:
    attributes = {name: part for name, part in TABLE["attributes"].items() if name != "id"}
    made = rule({"new": {"path": "@.to"}}, each="steps[*]", attributes=attributes)
    found = [each.event for each in outcomes([made]) if isinstance(each, Made) and isinstance(each.event, Action)]
    assert [each.new for each in found] == [1, 2] and len({each.id for each in found}) == 2
    assert [each.event for each in outcomes([made]) if isinstance(each, Made)] == found
    assert outcomes([made], {**RECORD, "steps": []}) == [Unmet("r", "there is nothing at steps[*]")]


def test_conditions_may_ask_each_element() -> None:
    attributes = {name: part for name, part in TABLE["attributes"].items() if name != "id"}
    made = rule({"new": {"path": "@.to"}}, each="steps[*]", attributes=attributes, when=[{"path": "@.who", "exists": True}])
    first, second = outcomes([made])
    assert isinstance(first, Made) and isinstance(first.event, Action) and first.event.new == 1
    assert second == Unmet("r", "element 1: @.who is not there", element=True)
    whole = rule({"new": {"path": "@.to"}}, each="steps[*]", attributes=attributes)
    assert first == outcomes([whole])[0]  # its id does not depend on what is left out
    none = rule(each="steps[*]", attributes=attributes, when=[{"path": "@.who", "equals": "z"}])
    assert [type(each) for each in outcomes([none, rule(name="next")])] == [Unmet, Unmet, Made]


def test_elements_beyond_the_most_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST", 1)
    attributes = {name: part for name, part in TABLE["attributes"].items() if name != "id"}
    first, second = outcomes([rule(each="steps[*]", attributes=attributes)])
    assert isinstance(first, Made) and second == Unmet("r", "element 1: there are more than 1", element=True)


def test_the_first_rule_that_applies_is_the_last_but_for_also() -> None:
    first, second, third = rule(name="a", also=True), rule(name="b"), rule(name="c")
    assert [each.rule for each in outcomes([first, second, third])] == ["a", "b"]
    ignored = read_rule({"name": "i", "type": "ignore", "when": [{"path": "kind", "equals": "scaled"}]})
    assert outcomes([ignored, third]) == [Made("i", None)]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name must be a text"),
    ({"type": "acton"}, 'type must be one of action, sample, transition, dependency, intent, verdict, ignore, not "acton"'),
    ({"wen": []}, "wen: no such field; did you mean when?"),
    ({"also": 1}, "also must be true or false"),
    ({"each": "steps"}, "each must lead to the elements of a list, such as steps[*]"),
    ({"when": {}}, "when must be a list of conditions"),
    ({"when": ["kind"]}, "when[0] must be a table"),
    ({"when": [{"path": "kind"}]}, "when[0] asks nothing"),
    ({"when": [{"path": "kind", "equal": 1, "in": []}]}, "when[0].equal: no such field; did you mean equals?"),
    ({"when": [{"path": "a b", "exists": True}]}, "when[0].path: 'a b' is no path"),
    ({"when": [{"exists": True}]}, "when[0].path must be a path in quotes, not nothing"),
    ({"when": [{"path": "a", "exists": "yes"}]}, "when[0].exists must be true or false"),
    ({"when": [{"path": "a", "in": "x"}]}, "when[0].in must be a list"),
    ({"when": [{"path": "a", "matches": "("}]}, 'when[0].matches: "(" is no regular expression'),
    ({"when": [{"path": "@.a", "exists": True}]}, "when[0].path: @.a is of an element, and the rule has no `each`"),
    ({"each": "steps[*]"}, "attributes.id is the same for every element, so that they would count as one"),
    ({"attributes": {"time": {"path": "at"}}}, "attributes.subject is missing: an action needs it"),
    ({"attributes": {"subject": "x"}}, "attributes.time is missing: an action needs it"),
    ({"attributes": {"time": "at", "subject": "x"}}, 'where it is a path, write { path = "at" }'),
    (
        {"attributes": {"time": {"path": "at"}, "subject": "x", "sorce": "y"}},
        "attributes.sorce: no such field; did you mean source?",
    ),
    ({"attributes": 3}, "attributes must be a table"),
    ({"data": {"agent": "a"}}, "data.verb is missing: an action needs it"),
    ({"data": {"agent": "a", "verb": "b", "outcome": "aplied"}}, "data.outcome"),
    ({"data": {"agent": "a", "verb": "b", "paramter": "c"}}, "data.paramter: no such field; did you mean parameter?"),
    ({"data": {"agent": "a{", "verb": "b"}}, 'data.agent: "a{" has a brace without its other one'),
    ({"data": {"agent": "{a b}", "verb": "b"}}, "data.agent: 'a b' is no path"),
    ({"data": {"agent": "{@.a}", "verb": "b"}}, "data.agent: @.a is of an element, and the rule has no `each`"),
    ({"data": {"agent": "a", "verb": {"path": "b", "type": "int"}}}, "data.verb.type must be one of number"),
    ({"data": {"agent": "a", "verb": {"path": "b", "format": "min"}}}, "data.verb.format must be one of rfc3339"),
    ({"data": {"agent": "a", "verb": {"path": "$.b"}}}, "'$.b' is no path: the record itself needs no sign"),
    ({"when": [{"path": "$[0].b", "exists": True}]}, "when[0].path: '$[0].b' is no path"),
    ({"data": {"agent": "@.who", "verb": "b"}, "each": "a[*]"}, 'where it is a path, write { path = "@.who" }'),
    ({"data": {"metric": "m", "value": 1, "role": "load"}, "type": "sample"}, 'data.role: "load": must be one of demand, capacity'),
    ({"data": {"agent": "a", "verb": {"path": "b", "words": []}}}, "data.verb.words must be a table"),
    ({"data": {"agent": "a", "verb": {"path": "b", "defalt": 1}}}, "data.verb.defalt: no such field; did you mean default?"),
]


@pytest.mark.parametrize(("change", "line"), MISTAKES)
def test_every_mistake_is_one_clear_line(change: dict[str, Any], line: str) -> None:
    with pytest.raises(Mistakes) as raised:
        read_rule({**TABLE, **change})
    assert [found for found in raised.value.lines if line in found] and all("\n" not in found for found in raised.value.lines)


def settings(folder: Path, text: str) -> Settings:
    (folder / "i.toml").write_text(text)
    return load(str(folder / "i.toml"), {}).settings


def test_mistakes_of_the_file_name_the_rule(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(
            tmp_path,
            '[[map]]\nname = "x"\ntype = "ignore"\n[[map]]\nname = "x"\ntype = "ignore"\n[[map]]\nname = "y"\nsince = 2026-01-01\n',
        )
    file = tmp_path / "i.toml"
    assert raised.value.mistakes == (
        f"{file}: map 3 (y): a date stands without quotes; JSON has none, so write it in quotes",
        f"{file}: map: 'x' is given twice",
    )


def test_rules_are_written_as_they_are_read(tmp_path: Path) -> None:
    table = {
        **TABLE,
        "when": [{"path": 'l["a.b"]', "equals": 'x"\n'}],
        "data": {**TABLE["data"], "new": {"path": "k", "words": {"a b": 1}}},
    }
    first = settings(tmp_path, "[[map]]\n" + "\n".join(f"{name} = {_inline(value)}" for name, value in table.items()))
    again = settings(tmp_path, written_map(first.map[0]))
    assert again.map == first.map and json.loads(first.map[0].table) == table


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_inline(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(map(_inline, value)) + "]" if isinstance(value, list) else json.dumps(value)


def source() -> Mapped:
    base = Settings()
    some = settings_of(
        {**TABLE, "when": [{"path": "kind", "equals": "scaled"}]},
        {"name": "i", "type": "ignore", "when": [{"path": "hush", "exists": True}]},
    )
    return Mapped(msgspec.structs.replace(base, map=some), Origin(domain="eu"))


def settings_of(*tables: dict[str, Any]) -> Any:
    from streams.settings import Mapping

    return tuple(Mapping(name=table["name"], table=json.dumps(table)) for table in tables)


def test_a_source_counts_what_no_rule_takes() -> None:
    mapped = source()
    found = [
        each
        for value in (RECORD, [RECORD, {"kind": "x"}], {"hush": 1}, 5, "text")
        for each in mapped.parse(json.dumps(value).encode(), (), 1)
    ]
    assert len(found) == 2 and all(isinstance(each, Action) and each.domain == "eu" for each in found)
    assert mapped.counts == {"mapped": 2, "ignored": 1, "no_rule": 3}
    bad = {b"{not": "not_json", b'{"a": 1e400}': "wrong_type", b"[" * 3000: "too_deep"}
    assert {value: found[0].reason for value in bad if isinstance((found := mapped.parse(value, (), 1))[0], Rejection)} == bad


def test_a_source_may_have_rules_of_its_own(tmp_path: Path) -> None:
    both = msgspec.structs.replace(Settings(), map=settings_of(TABLE, {**TABLE, "name": "second", "type": "ignore", "data": {}}))
    for names, counts in (((), {"mapped": 1}), (("second",), {"ignored": 1})):
        mapped = Mapped(both, Origin(rules=names))
        mapped.parse(json.dumps(RECORD).encode(), (), 1)
        assert mapped.counts == counts
    text = '[[source]]\ntopic = "hooks"\nkind = "json"\n'
    for more, line in (
        ("", "of kind json, and there is no [[map]] rule"),
        ('[[map]]\nname = "x"\ntype = "ignore"\n', "no [[map]] of that name"),
    ):
        with pytest.raises(SettingsError, match="hooks") as raised:
            settings(tmp_path, f'{text}rules = ["y"]\n{more}')
        assert any(line in mistake for mistake in raised.value.mistakes)
    assert settings(tmp_path, f'{text}rules = ["x"]\n[[map]]\nname = "x"\ntype = "ignore"\n').source[0].rules == ("x",)
    with pytest.raises(SettingsError, match="rules are for kind json"):
        settings(tmp_path, '[[source]]\ntopic = "a"\nkind = "k8s-audit"\nrules = ["x"]\n[[map]]\nname = "x"\ntype = "ignore"\n')


def test_without_rules_there_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{}")
    for words in (("analyze", "x.jsonl", "--source", "json"), ("map", "test", "x.jsonl")):
        done = interplay(*words, cwd=tmp_path)
        assert (
            done.returncode == 2
            and "no [[map]] rule in the settings (interplay.toml of this directory, or --config FILE)" in done.stderr
        )
        assert len(done.stderr.splitlines()) == 1


def test_map_test_tells_each_record_and_its_exit_code_follows(tmp_path: Path) -> None:
    (tmp_path / "interplay.toml").write_text(
        '[[map]]\nname = "a"\ntype = "sample"\nwhen = [{ path = "v", exists = true }]\n'
        'attributes = { time = { path = "t" }, subject = "{s}", id = "1" }\ndata = { metric = "m", value = { path = "v" } }\n'
        '[[map]]\nname = "hush"\ntype = "ignore"\nwhen = [{ path = "hush", exists = true }]\n'
    )
    good = {"t": "2026-11-24T10:00:00Z", "s": "db", "v": 1}
    (tmp_path / "good.json").write_text(json.dumps([good, {"hush": 1}], indent=1))
    (tmp_path / "bad.jsonl").write_text(json.dumps({**good, "v": "x"}) + "\n{\n" + json.dumps({"t": 1}) + "\n")
    done = interplay("map", "test", "good.json", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "good.json:1[0]: a: 2026-11-24T10:00:00Z map/a#1 sample db m 1",
            "good.json:1[1]: hush: ignored",
            "2 records: 1 event; 1 ignored, 0 without a rule, 0 refused.",
        ],
    )
    done = interplay("map", "test", "bad.jsonl", "--rule", "a", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0] == "bad.jsonl:1: wrong_type (data.value): rule a: Expected `float`, got `str`"
    steps = [{"at": "2026-11-24T10:00:00Z", "v": 1}, {"at": "2026-11-24T10:00:09Z"}]
    (tmp_path / "steps.json").write_text(json.dumps({"steps": steps}))
    (tmp_path / "each.toml").write_text(
        '[[map]]\nname = "e"\ntype = "sample"\neach = "steps[*]"\nwhen = [{ path = "@.v", exists = true }]\n'
        'attributes = { time = { path = "@.at" }, subject = "x" }\ndata = { metric = "m", value = { path = "@.v" } }\n'
    )
    told = interplay("map", "test", "steps.json", "--config", "each.toml", cwd=tmp_path).stdout.splitlines()
    assert told[0].startswith("steps.json:1: e: 2026-11-24T10:00:00Z map/e#") and told[0].endswith(" sample x m 1")
    assert told[1] == "steps.json:1: e: left out: element 1: @.v is not there"
    counted = interplay("analyze", "steps.json", "--source", "json", "--config", "each.toml", cwd=tmp_path).stdout
    assert "json: 1 records that became events; passed over: elements 1." in counted
    assert lines[1].startswith("bad.jsonl:2: not_json") and lines[2] == "bad.jsonl:3: no rule: a: v is not there"
    assert lines[3] == "2 records: 0 events; 0 ignored, 1 without a rule, 2 refused."
    assert interplay("map", "test", "bad.jsonl", "--rule", "b", cwd=tmp_path).returncode == 2
    (tmp_path / "empty").write_text("")
    assert (
        interplay("map", "test", "empty", cwd=tmp_path).returncode == 2 == interplay("map", "test", "none", cwd=tmp_path).returncode
    )
