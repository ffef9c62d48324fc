"""What a scenario expects, and whether the findings are so.

    expect PATTERN[/KIND] [on RESOURCE [PARAMETER]] [agents AGENT...] [root ID] by TIME [over by TIME]
    expect no PATTERN[/KIND] [on RESOURCE [PARAMETER]] [agents AGENT...]
    expect nothing
    expect nothing else

By TIME: some revision that says all of this rests on evidence no later than that. What a finding says beyond it is left open.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

import msgspec

from models.explain import list_names
from models.findings import KINDS, Change, Finding
from models.instants import clock_time, format_time, parse_time

_CLAUSES = ("on", "agents", "root", "by", "over")
SYNTAX = "expect [no] PATTERN[/KIND] [on RESOURCE [PARAMETER]] [agents AGENT...] [root ID] by TIME [over by TIME]"


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Times are ns. `rest`: nothing but what the other lines want. Without a pattern: anything at all."""

    text: str
    wanted: bool
    rest: bool = False
    pattern: str = ""
    kind: str = ""
    place: tuple[str, ...] = ()  # resource, or resource and parameter
    agents: tuple[str, ...] = ()
    root: str = ""
    by: int | None = None
    over: int | None = None

    @property
    def what(self) -> str:
        """PATTERN/KIND, or as much of it as is given."""
        return f"{self.pattern}/{self.kind}" if self.kind else self.pattern

    def met(self, finding: Finding) -> bool:
        """The finding is of this kind, at this place, by these agents; times are left aside."""
        return (
            self.pattern in ("", finding.pattern)
            and self.kind in ("", finding.kind)
            and (not self.place or self.place[0] in finding.resources)
            and (len(self.place) < 2 or self.place[1] in finding.parameters)
            and set(self.agents) <= set(finding.agents)
            and (not self.root or any(root.event.rpartition(" ")[2] == self.root for root in finding.roots))
        )


class Outcome(msgspec.Struct, frozen=True):
    """Whether an expectation holds, and the sentence that says why."""

    expectation: Expectation
    holds: bool
    sentence: str


def read_expectation(text: str, day: str) -> Expectation:
    """One line `expect ...`; `day` is the date of its times. Raises ValueError with what is wrong."""
    words = shlex.split(text)[1:]
    if words == ["nothing"]:
        return Expectation(text=text, wanted=False)
    if words == ["nothing", "else"]:
        return Expectation(text=text, wanted=False, rest=True)
    wanted = words[:1] != ["no"]
    what, *rest = words[0 if wanted else 1 :] or [""]
    pattern, _, kind = what.partition("/")
    if pattern not in KINDS or (kind and kind not in KINDS[pattern]):
        raise ValueError(f"{what!r} is no pattern or PATTERN/KIND; a line is `{SYNTAX}`, `expect nothing` or `expect nothing else`")
    clauses = _clauses(rest)
    if wanted != ("by" in clauses) or ("over" in clauses and not wanted):
        raise ValueError("what must be found needs `by TIME`, the moment at which it must be known; what must not has no time")
    if len(clauses.get("on", [])) > 2:
        raise ValueError("after `on` come a resource, and its parameter where one is meant")
    return Expectation(
        text=text,
        wanted=wanted,
        pattern=pattern,
        kind=kind,
        place=tuple(clauses.get("on", ())),
        agents=tuple(clauses.get("agents", ())),
        root=" ".join(clauses.get("root", ())),
        by=_moment(clauses["by"], day) if wanted else None,
        over=_moment(clauses["over"][1:], day) if "over" in clauses else None,
    )


def _clauses(words: Sequence[str]) -> dict[str, list[str]]:
    """Each clause's words. `over by TIME` keeps its `by`."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word in _CLAUSES and not (word == "by" and name == "over" and not found["over"]):
            if word in found:
                raise ValueError(f"`{word}` is given twice")
            name = word
            found[name] = []
        elif name:
            found[name].append(word)
        else:
            raise ValueError(f"{word!r} is not understood; a line is `{SYNTAX}`")
    empty = [name for name, given in found.items() if not given]
    if empty:
        raise ValueError(f"after `{empty[0]}` something is missing")
    return found


def _moment(words: Sequence[str], day: str) -> int:
    (word,) = words if len(words) == 1 else ("",)
    return parse_time(word if "T" in word else f"{day}T{word}Z")


def judge(expectations: Iterable[Expectation], changes: Sequence[Change]) -> list[Outcome]:
    """One outcome for each expectation, in order. `changes` are all revisions that were announced."""
    expectations = tuple(expectations)
    revisions = [change.finding for change in changes]
    wanted = [expectation for expectation in expectations if expectation.wanted]
    return [
        _found(each, revisions)
        if each.wanted
        else _absent(each, [one for one in revisions if not (each.rest and any(other.met(one) for other in wanted))])
        for each in expectations
    ]


def known_at(finding: Finding) -> int:
    """ns: when the evidence of this revision sufficed for what it says."""
    return parse_time(finding.detected_at if finding.revision == 1 else finding.updated_at)


def _found(each: Expectation, revisions: Sequence[Finding]) -> Outcome:
    assert each.by is not None
    met = sorted((finding for finding in revisions if each.met(finding)), key=lambda f: (known_at(f), f.finding_id, f.revision))
    if not met:
        others = sorted({f"{finding.pattern}/{finding.kind}" for finding in revisions})
        return Outcome(
            each, False, f"not found; found instead: {list_names(tuple(others))}" if others else "not found, nor was anything"
        )
    first = met[0]
    when = known_at(first)
    told = f"known at {clock_time(when)}, {_distance(each.by - when)}"
    if when > each.by:
        return Outcome(each, False, told)
    if each.over is not None:
        ends = [parse_time(one.resolved_at) for one in met if one.resolved_at is not None and one.finding_id == first.finding_id]
        if not ends:
            return Outcome(each, False, f"{told}; it is not over when the events end")
        return Outcome(each, ends[0] <= each.over, f"{told}; over at {clock_time(ends[0])}")
    return Outcome(each, True, told)


def _distance(nanos: int) -> str:
    seconds = abs(nanos) / 1e9
    return "to the second" if not seconds else f"{seconds:,.10g} s {'too late' if nanos < 0 else 'before it must be'}"


def _absent(each: Expectation, revisions: Sequence[Finding]) -> Outcome:
    met = [finding for finding in revisions if each.met(finding)]
    if not met:
        return Outcome(each, True, "nothing of the kind is found")
    first = met[0]
    return Outcome(each, False, f"found {first.pattern}/{first.kind} at {format_time(known_at(first))[11:19]}: {first.title}")
