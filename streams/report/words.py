"""The words that every report shares: how long, how sure, how many, and texts of agents made safe to show."""

from __future__ import annotations

from models.explain import lasting
from models.findings import SEVERITIES, Finding, Severity
from models.instants import SECOND, format_duration, format_time, parse_time
from streams.terminal import figure

BEGINNING, NEWEST = 4, 6  # sentences shown of a long explanation
AGAINST = 0.5  # fight index from which agents push against each other rather than each both ways
_SURE = {
    "certificate": "a certificate, from the events alone",
    "cited": "the records say what links it: causes, reads or old values",
    "inferred": "inferred from what agents read and wrote",
    "statistical": "inferred from how often it happens",
}
_MANY = {2: "two", 3: "three", 4: "four", 5: "five"}


def shown(text: str) -> str:
    """The text in one line without control characters: agents write parts of it, and a terminal, browser or XML reader obeys some."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def figures(finding: Finding) -> str:
    """The two or three numbers of a finding that tell most, in words; "" where it has none of them."""
    metrics = finding.metrics
    told = [_counted(metrics, name) for name in ("reversals", "violations", "reactions") if name in metrics]
    if metrics.get("period_s"):
        told.append(f"a full swing takes {_lasting(metrics['period_s'])}")
    if "fight_index" in metrics:
        told.append(_fight(len(finding.agents), metrics["fight_index"]))
    if "lag_s" in metrics:
        told.append(f"the last {_lasting(metrics['lag_s'])} after what it overrode")
    if "depth" in metrics:
        told.append(f"{figure(metrics['depth'])} deep")
    if "span_s" in metrics:
        told.append(f"over {_lasting(metrics['span_s'])}")
    return ", ".join(told)


def _lasting(seconds: float) -> str:
    return lasting(round(seconds * SECOND))


def percent(share: float) -> str:
    """A share or probability, "90 %"."""
    return f"{100 * share:.0f} %"


def _counted(metrics: dict[str, float], name: str) -> str:
    return f"{figure(metrics[name])} {name if metrics[name] != 1 else name.removesuffix('s')}"


def _fight(agents: int, index: float) -> str:
    """The fight index (0 to 1) in words."""
    if agents < 2:
        return "one agent hunting"
    many = _MANY.get(agents, str(agents))
    return f"{many} agents pushing against each other" if index >= AGAINST else f"{many} agents that each push both ways"


def at_least(finding: Finding, severity: Severity) -> bool:
    """Whether the finding is as severe as that, or more so."""
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index(severity)


def ago(nanos: int) -> str:
    """A span of time (ns) as people say it: two units at most, "under 1s" for less."""
    units = (86_400, 3600, 60, 1)
    seconds = nanos // 1_000_000_000
    if seconds < 1:
        return "under 1s"
    largest = next(i for i, unit in enumerate(units) if seconds >= unit)
    smallest = units[min(largest + 1, len(units) - 1)]
    return format_duration(seconds // smallest * smallest * 1_000_000_000)


def shortened(sentences: tuple[str, ...]) -> list[str]:
    """How an explanation began and how it goes on; what lies between is counted."""
    if len(sentences) <= BEGINNING + NEWEST + 1:
        return list(sentences)
    left_out = len(sentences) - BEGINNING - NEWEST
    return [*sentences[:BEGINNING], f"... {left_out} more ...", *sentences[-NEWEST:]]


def since(finding: Finding) -> str:
    """When it was, how long, whether it is over, and how sure that is, in a sentence."""
    lasted = ago(parse_time(finding.updated_at) - parse_time(finding.started_at))
    if finding.resolved_at:
        state = f"From {_to_the_second(finding.started_at)}, {lasted} long, resolved at {_to_the_second(finding.resolved_at)}"
    else:
        state = f"Open since {_to_the_second(finding.started_at)}, {lasted} so far"
    domain = "" if finding.domain == "default" else f" in {shown(finding.domain)}"
    return f"{state}{domain}; {percent(finding.confidence)} sure: {_SURE[finding.basis]}."


def _to_the_second(time: str) -> str:
    return format_time(parse_time(time) // SECOND * SECOND)


def doubts(finding: Finding) -> list[str]:
    """What may be wrong or missing in it, a sentence each."""
    quality = finding.quality
    told = []
    if quality.degraded:
        told.append("A limit was reached, so older evidence may be missing: see analysis.limits.")
    if quality.late:
        told.append(f"{quality.late:,} events came too late to be counted: see analysis.time.lateness.")
    return told


def reach(finding: Finding) -> str:
    """What it may hit next, in a sentence; "" where nothing is known of that."""
    if not finding.blast_radius:
        return ""
    return (
        "It may hit next: " + ", ".join(f"{shown(r.resource)} ({percent(r.probability)})" for r in finding.blast_radius[:5]) + "."
    )


def body(finding: Finding) -> list[str]:
    """Everything but the headline, a sentence or a line each, safe to show."""
    told = figures(finding)
    lines = [since(finding)] + ([f"{told[0].upper()}{told[1:]}."] if told else [])
    lines += [shown(sentence) for sentence in shortened(finding.explanation[1:])]  # the first repeats the headline
    return lines + ([reach(finding)] if finding.blast_radius else []) + doubts(finding)
