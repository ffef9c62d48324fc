"""The configuration: defaults that hang together, and a name for each set of values."""

from __future__ import annotations

import msgspec

from models.configuration import Analysis, Conflict, StreamTime, Thrashing, fingerprint
from models.instants import SECOND


def test_equal_values_have_one_name() -> None:
    assert fingerprint(Analysis()) == fingerprint(Analysis(thrashing=Thrashing(), time=StreamTime()))
    assert len(fingerprint(Analysis())) == 12


def test_any_other_value_has_another_name() -> None:
    others = [
        Analysis(window=1),
        Analysis(time=StreamTime(lateness=11 * SECOND)),
        Analysis(thrashing=Thrashing(half_lives=(SECOND,))),
        Analysis(conflict=Conflict(hold=1)),
    ]
    assert len({fingerprint(analysis) for analysis in [Analysis(), *others]}) == 5


def test_a_configuration_reads_back_from_json() -> None:
    analysis = Analysis(thrashing=Thrashing(half_lives=(SECOND, 2 * SECOND)))
    assert msgspec.json.decode(msgspec.json.encode(analysis), type=Analysis) == analysis


def test_the_defaults_hang_together() -> None:
    analysis = Analysis()
    assert analysis.window <= analysis.memory <= analysis.facts_age
    assert max(analysis.thrashing.half_lives) <= analysis.memory
    assert analysis.thrashing.close < analysis.thrashing.open_exact <= analysis.thrashing.open_plain
    assert analysis.thrashing.damped_ratio < 1 < analysis.thrashing.growing_ratio
    assert analysis.tombstone > analysis.memory
