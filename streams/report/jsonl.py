"""One final finding per line, as the contract has it; where a waiver fits, one field more: `waiver`."""

from __future__ import annotations

import msgspec

from models.findings import encode_finding
from models.instants import format_time
from streams.report.judged import Judged, Report
from streams.terminal import Terminal

_encode = msgspec.json.Encoder().encode


def render(report: Report, terminal: Terminal) -> str:
    """The lines. `terminal` does not matter: this is for programs."""
    return "\n".join(_line(each).decode() for each in report.judged)


def _line(each: Judged) -> bytes:
    if each.ruling is None:
        return encode_finding(each.finding)
    waiver = each.ruling.waiver
    told = {"owner": waiver.owner, "reason": waiver.reason, "expires": format_time(waiver.expires), "expired": each.ruling.expired}
    fields: dict[str, object] = msgspec.to_builtins(each.finding, order="deterministic")
    return _encode({**fields, "waiver": told})
