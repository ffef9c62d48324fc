"""Scenarios: events as text, and what must and must not be found in them, by when. Pure: text in, sentences out (docs/scenarios.md).

scenario = read_scenario("reddit-2016", text)
changes = play(scenario.events, Analysis(), "batch")
for outcome in judge(scenario.expectations, changes):
    print(outcome.holds, outcome.sentence)
"""

from __future__ import annotations

from models.scenarios.expecting import Outcome, judge
from models.scenarios.playing import ARRANGEMENTS, final, play
from models.scenarios.reading import Scenario, read_scenario

__all__ = ["ARRANGEMENTS", "Outcome", "Scenario", "final", "judge", "play", "read_scenario"]
