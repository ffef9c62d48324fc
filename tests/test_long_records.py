"""A record near the limit costs no source more than a moment, whatever is repeated in it: nothing looks at it again for each of its parts.

The limit is no measure of speed. All of these take some milliseconds; where a search began anew at each place it took minutes.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest
from otlp_records import as_json, request, span
from test_kubernetes_surroundings import happened, message
from test_mapping import TABLE, settings_of
from test_opentelemetry import tool

from streams.settings import ActionRule, LogRule, Otlp, Settings
from streams.sources.in_order import translated
from streams.sources.kinds import KINDS
from streams.sources.logs import LogFile
from streams.sources.source import Origin

SIZE, SECONDS = 700_000, 10.0
SETTINGS = Settings(
    map=settings_of(TABLE),
    otlp=Otlp(action=(ActionRule(span="*", resource="{arguments|span.name}", new="{arguments}"),), log=(LogRule(body="*"),)),
)
UNITS = (
    '"traceID":1,', "\\", "a", " ", "[", '{"a":', "{}", "://a:", "token=", "Bearer ", "1", "/", ":",
)  # fmt: skip


def documents(text: str) -> dict[str, Any]:
    """The text where each source looks into one."""
    call = {"eventTime": "2026-11-24T10:00:00Z", "eventSource": "autoscaling.amazonaws.com", "eventName": "SetDesiredCapacity"}
    asked = {"autoScalingGroupName": text, "desiredCapacity": 3}
    return {
        "name": request("traces", [span(text, 1, kind=2, status={"code": 2, "message": text})]),
        "tool": request("traces", [tool(1, arguments=json.dumps({"service": text, "replicas": 3, "reason": text, text: text}))]),
        "text": request("traces", [tool(1, arguments=text)]),
        "trail": {**call, "eventID": "x", "userAgent": text, "userIdentity": {"arn": text}, "requestParameters": asked},
        "alert": message("firing", pod=text, namespace="a"),
        "event": {**happened("BackOff"), "message": text},
        "bare": {"a": [text]},
    }


@pytest.mark.parametrize("unit", UNITS)
def test_no_source_looks_at_a_long_record_again_and_again(unit: str, tmp_path: Any) -> None:
    text = unit * (SIZE // len(unit.encode()))
    values = [as_json(document) for document in documents(text).values()] + [
        text.encode(),
        b'{"a":[{' + text.encode() + b'"b":1}]}',
    ]
    for value in values:
        took = {}
        for name, kind in KINDS.items():
            began = time.process_time()
            kind.recognised(value[:8192] if kind.split else value)
            list(translated([(1, value)], kind.open(SETTINGS, Origin()), 10**12, Counter()))
            took[name] = time.process_time() - began
        began = time.process_time()
        (path := tmp_path / "log").write_bytes(value + b"\n")
        list(LogFile(SETTINGS, Origin(), 0, str(path)).items())
        took["as a file"] = time.process_time() - began
        assert not {name: seconds for name, seconds in took.items() if seconds > SECONDS}, value[:80]
