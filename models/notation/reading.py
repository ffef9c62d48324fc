"""Lines of the notation to events: each line becomes a CloudEvent, and `decode` makes the event or says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import msgspec

from models import wire
from models.decode import Rejection, decode_event
from models.events import AnyEvent
from models.instants import parse_time
from models.notation.repeating import MOST, later, spread
from models.notation.words import ARROW, COMPARISON, FIELD, NAME, SPACE, TYPE, VERSION, WORD, Line

_DATA: dict[str, type[msgspec.Struct]] = {
    "action": wire.ActionData,
    "transition": wire.TransitionData,
    "dependency": wire.DependencyData,
    "sample": wire.SampleData,
    "intent": wire.IntentData,
    "verdict": wire.VerdictData,
}
_FIELDS = {kind: {field.encode_name for field in msgspec.structs.fields(data)} for kind, data in _DATA.items()}
_ATTRIBUTES = {"subject", "traceparent"}

Fields = dict[str, object]


def parse(text: str) -> list[AnyEvent]:
    """The events of a text, in its order. Raises ValueError with the line's number and what is wrong with it."""
    events = []
    for number, event in parse_lines(text.split("\n")):
        if isinstance(event, Rejection):
            raise ValueError(f"line {number}: {event.path + ': ' if event.path else ''}{event.detail}")
        events.append(event)
    return events


def parse_lines(lines: Iterable[str]) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """(line number from 1, event or why there is none); blank lines, comments, dates and expectations are passed over."""
    day = ""
    for number, text, shift in spread(lines):
        try:
            if text.startswith("on "):
                day = text[3:].strip()
                parse_time(f"{day}T00:00:00Z")
            elif text.startswith("every "):
                raise ValueError(f"a loop is `every PERIOD x ROUNDS` (such as 4m, up to {MOST:,} rounds), lines, and `end`")
            else:
                event = _event(Line(text, day))
                yield number, later(event, shift) if shift and not isinstance(event, Rejection) else event
        except ValueError as error:
            yield number, Rejection("not_notation", "", str(error))


def _event(line: Line) -> AnyEvent | Rejection:
    """One line to CloudEvents, and that to an event."""
    envelope: Fields = {"specversion": "1.0", "time": line.time("the time")}
    data: Fields = {}
    source = line.string("the source", NAME)
    if line.glued("@"):
        data["agent"], source = source, line.string("the source after @", NAME)
    if not line.glued("#"):
        raise line.wrong("expected [AGENT@]SOURCE#ID")
    envelope |= {"source": source, "id": line.string("the id after #", NAME)}
    kind = line.take(TYPE) or "action"
    _places(kind, line, envelope, data)
    while line.sees(SPACE) and line.at < len(line.text):
        _option(kind, line, envelope, data)
    late = data.pop("late", False)
    event = decode_event(json.dumps({**envelope, "type": f"interplay.{kind}.v1", "data": data}).encode())
    return msgspec.structs.replace(event, late=True) if late is True and not isinstance(event, Rejection) else event


def _places(kind: str, line: Line, envelope: Fields, data: Fields) -> None:
    """What stands at its place in the line."""
    if kind == "dependency":
        data["from"] = line.string("the dependent resource")
        _arrow(line)
        data["to"] = line.string("the resource that it depends on")
        return
    if kind == "action":
        data["verb"] = line.string("the verb")
    envelope["subject"] = line.string("the resource")
    if kind == "verdict":
        data["rollout"], data["verdict"] = line.string("the rollout"), line.string("the verdict")
    elif kind == "sample":
        data["metric"], data["value"] = line.string("the metric"), line.value("the value")
    elif kind == "transition":
        data["metric"] = line.string("the metric")
        data["from"], data["to"] = line.value("the value before"), _after_arrow(line)
    else:
        if line.more():
            data["parameter"] = line.string("the parameter")
        if kind == "action" and line.more():
            data["old"], data["new"] = line.value("the old value"), _after_arrow(line)
        elif line.sees(ARROW):
            data["new" if kind == "action" else "desired"] = _after_arrow(line)


def _arrow(line: Line) -> None:
    if line.take(ARROW) is None:
        raise line.wrong("expected ->")


def _after_arrow(line: Line) -> object:
    _arrow(line)
    return line.value("the value after ->")


def _option(kind: str, line: Line, envelope: Fields, data: Fields) -> None:
    """One of the parts that may stand in any order."""
    if line.take(VERSION) is not None:
        data["version"] = line.value("the version")
        return
    word = line.take(WORD)
    if word == "reads":
        _listed(data, "reads").append(_read(line))
    elif word == "because":
        said = line.string("the reason")
        data |= {"why": {"rule": said}} if kind == "action" else {"reason": said}
    elif word == "holds":
        if line.more():
            _clause(data)["reason"] = line.string("the reason")
        _clause(data)
    elif word == "until":
        (_clause(data) if kind == "action" else data)["until"] = line.time("the end")
    elif word == "expects" and kind == "action":
        _listed(_clause(data), "expects").append(_expected(line))
    elif word == "unless" and kind == "action":
        _listed(_clause(data), "abort_if").append(_condition(line))
    elif word == "handoff" and kind == "action":
        _listed(_clause(data), "handoff_to").append(line.string("who may take over"))
    elif word in ("deletes", "acknowledges"):
        _listed(data, _known(kind, word)).append(line.string(f"what it {word}"))
    elif word == "after":
        _listed(envelope, "causationid").append(line.string("the cause"))
    elif word == "in":
        envelope["domain"] = line.string("the domain")
    else:
        _field(kind, line, envelope, data)


def _clause(data: Fields) -> Fields:
    """The intent of an action, as far as it has been read."""
    clause = data.setdefault("intent", {})
    if not isinstance(clause, dict):
        raise ValueError("`intent` is given twice, and not as an object")
    return clause


def _listed(fields: Fields, name: str) -> list[object]:
    listed = fields.setdefault(name, [])
    if not isinstance(listed, list):
        raise ValueError(f"`{name}` is given twice, and not as a list")
    return listed


def _metric(line: Line) -> Fields:
    """RESOURCE[:METRIC]."""
    named: Fields = {"resource": line.string("the resource", NAME)}
    if line.glued(":"):
        named["metric"] = line.string("the metric", NAME)
    return named


def _expected(line: Line) -> Fields:
    expected = _metric(line)
    if line.glued("="):
        expected["direction"] = line.string("the direction, up or down")
    return expected


def _condition(line: Line) -> Fields:
    return {**_metric(line), "op": line.string("how to compare, such as >", COMPARISON), "value": line.value("the bound")}


def _read(line: Line) -> Fields:
    read = _metric(line)
    if line.glued("="):
        read["value"] = line.value("the value that was read")
    while line.glued("@"):
        if line.take(VERSION) is not None:
            read["version"] = line.value("the version")
        else:
            read["time"] = line.time("the time of the observation")
    return read


def _field(kind: str, line: Line, envelope: Fields, data: Fields) -> None:
    name = line.take(FIELD)
    if name is None:
        raise line.wrong(f"not understood: {line.text[line.at : line.at + 40]!r}")
    (envelope if name in _ATTRIBUTES else data)[_known(kind, name)] = line.value(f"the value of {name}")


def _known(kind: str, name: str) -> str:
    """The field's name, if such events have it."""
    if name not in _FIELDS[kind] | _ATTRIBUTES | {"late"}:
        raise ValueError(f"events of type {kind} have no field {name!r}")
    return name
