"""Fuzzes the decoder: any value and headers of a Kafka record give events or rejections, never an exception, and always the same.

    make fuzz                                            60 s of seeded mutations of good and broken records; exits 1 on a crash
    python tests/fuzz_decoder.py --seconds 600 --seed 7  longer, elsewhere in the space
    python tests/fuzz_decoder.py --seeds corpus          writes the starting corpus into a new folder
    python tests/fuzz_decoder.py -max_total_time=600 corpus   coverage-guided, where atheris is installed (pip install atheris)

A crash is written to ./crash-<hash>; `python tests/fuzz_decoder.py --repeat FILE` runs that file alone.
What decodes must also survive the rest of its way: encoded for the signals topic and read back, it is the same event.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
from broken_records import TYPES, broken, good

from models import wire
from models.decode import Rejection
from models.events import Sample, decode_signal, encode_signal
from streams.sources.cloudevents import BATCH, STRUCTURED, decode_record

LIMIT = 1 << 20
REASONS = {
    "not_json", "too_deep", "not_cloudevents", "unknown_type", "missing_field", "wrong_type", "bad_time", "time_out_of_range",
    "batch_not_array", "too_large", "too_long",
}  # fmt: skip
ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "domain", "causationid", "traceparent")
TOKENS = (
    b"null", b"true", b"1e999", b"-0", b"9223372036854775808", b'"\\ud800"', b"\xff\xfe", b"\x00", b"[[[[", b"{}", b'""', b"NaN",
    b'"2262-01-01T00:00:00Z"', b'"2026-02-30T00:00:00Z"', b'"2026-01-01T23:59:60+23:59"', b"interplay.sample.v1", b"interplay.action.v2",
    b'"value":', b'"causationid":["a","b"],', b"[" * 2000, b'{"a":' * 2000,
)  # fmt: skip


def records_of(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of the record that fuzz data stands for; the first byte chooses the mode."""
    mode, value = (data[0] % 4 if data else 0), data[1:]
    if mode == 1:
        return value, [("content-type", STRUCTURED.encode())]
    if mode == 2:
        return value, [("content-type", BATCH.encode())]
    if mode == 3:
        *attributes, value = value.split(b"\n", len(ATTRIBUTES))
        return value, [("ce_" + name, raw) for name, raw in zip(ATTRIBUTES, attributes, strict=False)]
    return value, []


def check(data: bytes) -> list[str]:
    """Runs one input; answers what came of it. Raises whatever a bug raises."""
    value, headers = records_of(data)
    results = decode_record(value, headers, LIMIT)
    assert results == decode_record(value, headers, LIMIT), "the same record was decoded differently"
    for result in results:
        if isinstance(result, Rejection):
            assert result.reason in REASONS, result.reason
            assert isinstance(result.path, str) and result.detail, "a rejection that says nothing"
        elif isinstance(result, Sample):
            assert result.id and result.source and result.metric
        else:
            assert decode_signal(encode_signal(result)) == result, "the event changed on its way through the signals topic"
    return [result.reason if isinstance(result, Rejection) else type(result).__name__ for result in results]


def seeds() -> list[bytes]:
    """A good record of each type in each mode, and the corpus of broken ones that are not huge."""
    found: list[bytes] = []
    for kind in TYPES:
        event = good(kind)
        text = msgspec.json.encode(event)
        binary = [str(event.get(name, "")).encode() for name in ATTRIBUTES] + [msgspec.json.encode(event["data"])]
        found += [b"\x00" + text, b"\x01" + text, b"\x02[" + text + b"," + text + b"]", b"\x03" + b"\n".join(binary)]
    return found + [b"\x00" + value for _, value, _, _ in broken() if len(value) < 4096]


STRUCTS: tuple[type[msgspec.Struct], ...] = (
    wire.Attributes, wire.ActionData, wire.SampleData, wire.TransitionData, wire.DependencyData, wire.IntentData, wire.VerdictData,
)  # fmt: skip
FIELDS = sorted({"subject"} | {field.encode_name for data in STRUCTS for field in msgspec.structs.fields(data)})
VALUES: tuple[object, ...] = (
    None, True, 0, -1, 1 << 63, 1 << 70, 10**400, -1.5, 1e308, "", "a",
    "2026-11-24T02:17:06.123456789+14:00", "2026-02-30T00:00:00Z", [], [[]], {},
    [1, "a", None, True], ["a", "b"], [{"resource": "r", "metric": "m", "op": ">", "value": [1]}], {"rule": "x", "text": "y"},
    {"until": "2026-11-24T02:17:06Z", "expects": [{"resource": "r"}]}, "applied", "pass", "demand", 148,
)  # fmt: skip


def reshaped(rng: random.Random) -> bytes:
    """A good record with a few fields of any type set to any value, or taken away: what still is JSON."""
    event = good(rng.choice(TYPES))
    for _ in range(rng.choice((1, 1, 2, 4))):
        place: object = event if rng.random() < 0.3 else event["data"]
        if not isinstance(place, dict):
            continue
        if rng.random() < 0.15 and place:
            del place[rng.choice(sorted(place))]
        else:
            place[rng.choice(FIELDS)] = rng.choice(VALUES)
        event.setdefault("data", None)
    return bytes([rng.randrange(2)]) + json.dumps(event).encode()


def mutated(rng: random.Random, pool: list[bytes]) -> bytes:
    """A pool member after a few random cuts, flips, copies, splices and tokens."""
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 2, 8, 40)))
        way = rng.randrange(6)
        if way == 0:
            del data[at:end]
        elif way == 1 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif way == 2:
            data[at:at] = data[at:end]
        elif way == 3:
            data[at:end] = rng.choice(TOKENS)
        elif way == 4:
            other = rng.choice(pool)
            cut = rng.randrange(len(other) + 1)
            data[at:end] = other[cut : cut + rng.choice((1, 8, 40, 400))]
        else:
            data[at:end] = rng.randbytes(rng.randrange(5))
    return bytes(data)


def fuzz(seconds: float, seed: int, stop: Callable[[], float] = time.monotonic) -> tuple[int, int, Counter[str]]:
    """Mutates until the time is over. Answers executions, crashes, and how often each outcome came; crashes are written to files."""
    rng, pool, outcomes = random.Random(seed), seeds(), Counter[str]()
    known, executions, crashes = set[tuple[str, ...]](), 0, 0
    end = stop() + seconds
    while stop() < end:
        data = reshaped(rng) if rng.random() < 0.5 else mutated(rng, pool)
        executions += 1
        try:
            came = check(data)
        except Exception as error:
            crashes += 1
            name = f"crash-{hashlib.sha256(data).hexdigest()[:12]}"
            Path(name).write_bytes(data)
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        outcomes.update(came)
        if tuple(came[:4]) not in known and len(data) < 8192:  # an outcome not met before: a good place to go on from
            known.add(tuple(came[:4]))
            pool.append(data)
    return executions, crashes, outcomes


def main() -> int:
    """The command line; libFuzzer's own options (-max_total_time=...) choose atheris."""
    if any(argument.startswith("-") and not argument.startswith("--") for argument in sys.argv[1:]):
        import atheris

        atheris.instrument_all()
        atheris.Setup(sys.argv, lambda data: check(data) and None)
        atheris.Fuzz()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=Path, metavar="FOLDER", help="write the starting corpus")
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="run one file alone")
    arguments = parser.parse_args()
    if arguments.repeat:
        print(check(arguments.repeat.read_bytes()))
        return 0
    if arguments.seeds:
        arguments.seeds.mkdir()
        for number, data in enumerate(seeds()):
            (arguments.seeds / str(number)).write_bytes(data)
        return 0
    executions, crashes, outcomes = fuzz(arguments.seconds, arguments.seed)
    print(
        f"{executions:,} executions, {crashes} crashes, seed {arguments.seed}; "
        + ", ".join(f"{n} {c:,}" for n, c in outcomes.most_common())
    )
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
