"""What decodes harms nothing that comes after: events of the oddest contents through the signals' encoding, reduce and the analyzer."""

from __future__ import annotations

import json
import random

import pytest

from models.analyzer import Analyzer
from models.configuration import Analysis, StreamTime
from models.decode import decode_event
from models.events import AnyEvent, Sample, decode_signal, encode_signal
from models.findings import decode_finding, encode_finding
from models.instants import SECOND, format_time
from models.reduction import Reducer
from models.rejection import Rejection

VALUES = (
    None, True, False, 0, 1, -1, 8, 16, 2.5, -0.0, 1e308, -1e308, 5e-324, 1 << 62, -(1 << 63), 1 << 70, "", "a", "8", "\0", "x" * 3000,
    [], ["a"], ["b", "a"], [1, "a", None], [True, 1], [1e308, -1e308],
)  # fmt: skip
VERSIONS = (None, 0, 1, 2, 3, -1, 1.5, "", "v2", "10", 1e308, 1 << 62)
STEPS = (0, 1, SECOND, 5 * SECOND, 60 * SECOND, 1000 * SECOND)


class Odd:
    """Events on few knobs by few agents, so that they meet, with contents that nobody should send."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed).choice
        self.time = self.pick((0, 1_760_000_000 * SECOND, 9_214_600_000 * SECOND))
        self.count = 0

    def moment(self) -> str | None:
        past = format_time(max(0, self.time - self.pick((0, 1, 100 * SECOND))))
        return self.pick((None, past, "1970-01-01T00:00:00Z", "2261-01-01T00:00:00Z"))

    def reference(self) -> str:
        number = max(0, self.count - self.pick(range(1, 6)))
        return self.pick((f"e{number}", f"s{number % 3} e{number}", "", "nope", " ", "a b c"))

    def read(self) -> dict[str, object]:
        metric, value = self.pick(("replicas", "w", "p95", "")), self.pick(VALUES)
        return {
            "resource": self.pick("rq"),
            "metric": metric,
            "value": value,
            "time": self.moment(),
            "version": self.pick(VERSIONS),
        }

    def clause(self) -> dict[str, object]:
        effect = {
            "resource": "r",
            "metric": "p95",
            "direction": self.pick(("up", "?")),
            "max_ratio": self.pick((None, 0, -1, 1e308)),
        }
        bound = {"resource": "r", "metric": "w", "op": self.pick((">", "==")), "value": self.pick(VALUES)}
        return {"until": self.moment(), "expects": [effect], "abort_if": [bound], "handoff_to": ["b", "\0"]}

    def data(self, kind: str) -> dict[str, object]:
        pick, some = self.pick, {"agent": self.pick(("a", "b", "\0", '"')), "parameter": self.pick(("replicas", "w", ""))}
        if kind == "action":
            outcome = pick(("applied",) * 5 + ("failed", "rejected", "considered"))
            some |= {
                "verb": "set",
                "outcome": outcome,
                "version": pick(VERSIONS),
                "owner": pick(("", "o")),
                "rollout": pick(("", "x")),
            }
            some |= {name: pick(VALUES) for name in ("old", "new") if pick((True, True, False))}
            some |= {"reads": [self.read() for _ in range(pick(range(3)))], "intent": pick((None, {}, self.clause()))}
            return some | {"acknowledges": [self.reference()], "deletes": pick(([], ["r"], ["q", ""]))}
        if kind == "transition":
            return {"metric": pick(("p95", "w")), "from": pick(VALUES), "to": pick(VALUES), "severity": pick(("", "x"))}
        if kind == "dependency":
            ends = {"from": pick("rq"), "to": pick("rq"), "removed": pick((True, False))}
            return ends | {"weight": pick((0, -1, 1e308)), "until": self.moment()}
        if kind == "sample":
            return {"metric": "p95", "value": pick((0, -1, 1e308, 5e-324)), "role": pick(("", "demand", "capacity"))}
        if kind == "intent":
            return some | {"desired": pick(VALUES), "until": self.moment(), "closed": pick((True, False))}
        return {"agent": "c", "rollout": "x", "verdict": pick(("pass", "fail", "block"))}

    def event(self) -> AnyEvent:
        self.count, self.time = self.count + 1, self.time + self.pick(STEPS)
        kind = self.pick(("action",) * 6 + ("transition", "dependency", "sample", "intent", "verdict"))
        outside = {
            "specversion": "1.0", "id": self.pick((f"e{self.count}",) * 9 + ("e1",)), "source": f"s{self.count % 3}",
            "type": f"interplay.{kind}.v1", "time": format_time(self.time),
            "subject": self.pick(("r", "q", " ")), "domain": self.pick(("", "d")),
            "causationid": self.pick(("", self.reference(), [self.reference(), self.reference()])), "data": self.data(kind),
        }  # fmt: skip
        found = decode_event(json.dumps(outside).encode())
        assert not isinstance(found, Rejection), found
        return found


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_any_event_that_decodes_passes_through_everything(first: int) -> None:
    revisions = 0
    for seed in range(first, first + 20):
        odd, reducer, analyzer, changes = Odd(seed), Reducer("events/0", StreamTime(), None), Analyzer(Analysis(), ["events/0"]), []
        for offset in range(120):
            event = odd.event()
            reducer.feed(offset, odd.time, [event])
            release = reducer.release(odd.time, True)
            for signal in (*release.events, *([release.tick] if release.tick else [])):
                if not isinstance(signal, Sample):
                    assert decode_signal(encode_signal(signal)) == signal
                    changes += analyzer.feed(signal)
        for change in (*changes, *analyzer.finish()):
            assert decode_finding(encode_finding(change.finding)) == change.finding
            revisions += 1
    assert revisions > 100
