"""Events to lines of the notation: what has no place of its own in a line is written as FIELD=VALUE."""

from __future__ import annotations

import json

import msgspec
from msgspec import UNSET

from models.events import Action, AnyEvent, Clause, Condition, Dependency, Expectation, Intent, Read, Sample, Transition, Verdict
from models.instants import format_time
from models.notation.words import BARE, NAME, RESERVED, plain_json

_RENAMED = {"before": "from", "after": "to", "dependent": "from", "dependency": "to", "relation": "kind"}

Fields = dict[str, object]


def render(event: AnyEvent, day: str = "") -> str:
    """The event as one line that `parse` reads back.

    Times of `day` (such as "2026-11-24") are written as HH:MM:SS, for a text that has the line `on DAY` before. Numbers must be finite.
    """
    fields: Fields = msgspec.to_builtins(event)
    del fields["kind"]  # the tag of the struct
    data = {_RENAMED.get(name, name): value for name, value in fields.items()}
    for name in ("time", "source", "id", "agent", "resource", "domain", "causes", "version", "reads", "until"):
        data.pop(name, None)
    agent = f"{_name(event.agent)}@" if isinstance(event, Action | Intent | Verdict) else ""
    words = [_time(event.time, day), f"{agent}{_name(event.source)}#{_name(event.id)}", *_placed(event, data)]
    if isinstance(event, Action):
        words += _told(event, data, day)
    if isinstance(event, Intent):
        words += ["because", _word(event.reason)] if data.pop("reason", "") else []
    if isinstance(event, Intent | Dependency) and event.until is not None:
        words += ["until", _time(event.until, day)]
    for cause in event.causes:
        words += ["after", _word(cause)]
    if event.domain != "default":
        words += ["in", _word(event.domain)]
    return " ".join([*words, *(f"{name}={_value(value)}" for name, value in data.items())])


def _placed(event: AnyEvent, data: Fields) -> list[str]:
    """The parts that have their place; takes them out of `data`."""
    resource = _word(event.resource)
    if isinstance(event, Dependency):
        if event.resource:
            data["subject"] = event.resource
        return ["dependency", _word(str(data.pop("from"))), "->", _word(str(data.pop("to")))]
    if isinstance(event, Verdict):
        return ["verdict", resource, _word(str(data.pop("rollout"))), _word(str(data.pop("verdict")))]
    if isinstance(event, Sample):
        data.pop("value")
        value = json.dumps(event.value)
        return ["sample", resource, _word(str(data.pop("metric"))), value.removesuffix(".0") if event.value else value]
    if isinstance(event, Transition):
        before, after = _value(data.pop("from", None)), _value(data.pop("to", None))
        return ["transition", resource, _word(str(data.pop("metric"))), before, "->", after]
    parameter = str(data.pop("parameter", ""))
    if isinstance(event, Intent):
        desired = ["->", _value(data.pop("desired"))] if event.desired is not UNSET else []
        return ["intent", resource, *([_word(parameter)] if parameter else []), *desired]
    change: list[str] = []
    if event.new is not UNSET:
        change = ["->", _value(data.pop("new"))]
        if event.old is not UNSET:
            change.insert(0, _value(data.pop("old")))
    verb = str(data.pop("verb"))
    return [_word(verb), resource, *([_word(parameter)] if parameter != verb or change else []), *change]


def _told(event: Action, data: Fields, day: str) -> list[str]:
    """Version, reads, reason and intent of an action."""
    words = [] if event.version is None else [f"v{json.dumps(event.version, ensure_ascii=False)}"]
    for read in event.reads:
        words += ["reads", _read_text(read, day)]
    if event.why is not None and event.why.rule and not event.why.text:
        words += ["because", _word(event.why.rule)]
        del data["why"]
    clause = event.intent
    if clause is not None and _plain(clause):
        words += ["holds", *([_word(clause.reason)] if clause.reason else [])]
        words += [] if clause.until is None else ["until", _time(clause.until, day)]
        for expected in clause.expects:
            words += ["expects", _metric(expected) + (f"={_name(expected.direction)}" if expected.direction else "")]
        for bound in clause.abort_if:
            words += ["unless", _metric(bound), bound.op, _value(bound.value)]
        for agent in clause.handoff_to:
            words += ["handoff", _word(agent)]
        del data["intent"]
    elif clause is not None and clause.until is not None:
        data["intent"] = {**msgspec.to_builtins(clause), "until": format_time(clause.until)}
    for word in ("deletes", "acknowledges"):
        for name in data.pop(word, ()):  # type: ignore[attr-defined]
            words += [word, _word(name)]
    return words


def _plain(clause: Clause) -> bool:
    """Whether the words of a line can say all of it."""
    return all(expected.max_ratio is None for expected in clause.expects)


def _metric(named: Expectation | Condition) -> str:
    return _name(named.resource) + (f":{_name(named.metric)}" if named.metric else "")


def _read_text(read: Read, day: str) -> str:
    text = _name(read.resource)
    text += f":{_name(read.metric)}" if read.metric else ""
    text += f"={_value(read.value)}" if read.value is not UNSET else ""
    text += f"@v{json.dumps(read.version, ensure_ascii=False)}" if read.version is not None else ""
    return text + (f"@{_time(read.time, day)}" if read.time is not None else "")


def _time(nanos: int, day: str) -> str:
    text = format_time(nanos)
    return text[11:-1] if day and text.startswith(f"{day}T") else text


def _name(text: str) -> str:
    return text if NAME.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _word(text: str) -> str:
    plain = BARE.fullmatch(text) and not RESERVED.fullmatch(text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, str):
        try:
            plain_json.decode(value)
        except ValueError:
            return _word(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
