"""Fuzzes OTLP: any bytes of a record give events, records to be ordered or rejections, never an exception, and always the same.

    python tests/fuzz_otlp.py                            30 s of seeded mutations of a real collector's records; exits 1 on a crash
    python tests/fuzz_otlp.py --seconds 600 --seed 7     longer, elsewhere in the space
    python tests/fuzz_otlp.py --repeat FILE              runs a crash's file alone

What comes out must survive the rest of its way: encoded for the signals topic and read back, it is the same event.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

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


def fuzz(seconds: float, seed: int) -> int:
    """Mutates until the time is over. The exit code: 1 where one input crashed, which is written to a file."""
    draw, pool, outcomes, runs = random.Random(seed), seeds(), Counter[str](), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(draw, pool)
        runs += 1
        try:
            outcomes += check(data)
        except Exception:
            file = Path(f"crash-{hashlib.sha256(data).hexdigest()[:12]}")
            file.write_bytes(data)
            traceback.print_exc()
            print(f"{file}: python tests/fuzz_otlp.py --repeat {file}", file=sys.stderr)
            return 1
    print(f"{runs:,} records, no crash; what came of them: {dict(outcomes.most_common())}")
    return 0


def main() -> int:
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=Path)
    arguments = parser.parse_args()
    if arguments.repeat:
        print(check(arguments.repeat.read_bytes()))
        return 0
    return fuzz(arguments.seconds, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
