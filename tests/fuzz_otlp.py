"""Fuzzes OTLP: any bytes of a record give events, records to be ordered or rejections, never an exception, and always the same.

    python tests/fuzz_otlp.py                            30 s of seeded mutations of a real collector's records; exits 1 on a crash
    python tests/fuzz_otlp.py --seconds 600 --seed 7     longer, elsewhere in the space
    python tests/fuzz_otlp.py --repeat FILE              runs a crash's file alone

What comes out must survive the rest of its way: encoded for the signals topic and read back, it is the same event.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fuzzing import command
from otlp_records import told

from models.events import Sample, decode_signal, encode_signal
from models.rejection import Rejection
from streams.settings import ActionRule, LogRule, MetricRule, Otlp

DATA = Path(__file__).parent / "data"
TOKENS = (
    b"\xff" * 10, b"9" * 40, b"\x0a\x00", b"\x80\x80\x80\x80\x10", b'"intValue":"x"', b"null", b"1e400", b'"NaN"', b'"\\ud800"', b"{}",
    b"[" * 300, b'"traceId":""', b'"explicitBounds":[1]', b'"scale":2000000000', b'"offset":-2000000000',
    b'"timeUnixNano":"99999999999999999999"',
)  # fmt: skip
RULES = Otlp(
    action=(
        ActionRule(span="*", resource="{arguments|span.name}", verb="{arguments.deployment|'v'}", new="{arguments}", version="{arguments}"),
    ),
    metric=(MetricRule(metric="a*", resource="{metric.name}", name="{action|gen_ai.operation.name|'x'}", role="demand"),),
    log=(LogRule(event="*", resource="{body}", metric="{body.action|'m'}", after="{body}"),),
)  # fmt: skip
REASONS = {
    "not_otlp",
    "not_json",
    "too_deep",
    "wrong_type",
    "missing_field",
    "bad_time",
    "time_out_of_range",
    "too_large",
    "too_long",
}
NATIVE = {"not_cloudevents", "unknown_type"}  # of an event within a `raw` record


def seeds() -> list[bytes]:
    """Records of a real collector and the specification's examples."""
    files = [*(DATA / "otlp").glob("*.bin"), *(DATA / "otlp").glob("*.json"), *(DATA / "otlp_examples").glob("*.json")]
    return [file.read_bytes() for file in sorted(files)]


def mutated(draw: random.Random, pool: list[bytes]) -> bytes:
    """A few changes to a seed: bytes set, cut out, doubled, or replaced by a token; or the end is cut off."""
    data = bytearray(draw.choice(pool))
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        place, length = draw.randrange(len(data) + 1), draw.choice((1, 1, 2, 8, 60))
        change = draw.randrange(5)
        if change == 0 and place < len(data):
            data[place] = draw.randrange(256)
        elif change == 1:
            del data[place : place + length]
        elif change == 2:
            data[place:place] = data[place : place + length]
        elif change == 3:
            data[place : place + length] = draw.choice(TOKENS)
        elif draw.random() < 0.1:
            del data[place:]
    return bytes(data)


def check(data: bytes) -> Counter[str]:
    """Runs one input; answers what came of it. Raises whatever a bug raises."""
    found = told(data)
    assert found == told(data), "the same record was decoded differently"
    found += told(data, settings=RULES)
    for item in found:
        if isinstance(item, Rejection):
            assert item.reason in REASONS | NATIVE, item.reason
            assert item.detail, "a rejection that says nothing"
        elif isinstance(item, Sample):
            assert item.id and item.source and item.metric and len(item.metric) <= 512 and len(item.id) <= 512
        else:
            assert decode_signal(encode_signal(item)) == item, "the event changed on its way through the signals topic"
            assert len(item.resource) <= 512 and len(item.source) <= 512
    return Counter(item.reason if isinstance(item, Rejection) else type(item).__name__ for item in found)


def inputs() -> Callable[[random.Random], bytes]:
    """Draws an input: a good one with its bytes mutated."""
    pool = seeds()
    return lambda draw: mutated(draw, pool)


if __name__ == "__main__":
    sys.exit(command(__doc__, inputs(), check))
