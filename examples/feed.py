"""The core from Python: feed events, print findings as they open. No broker, no database. Run: python examples/feed.py [FILE.trace]

Only a tick moves time: it says that nothing before its watermark is still to come from a partition. Here the events are in order.
"""

import signal
import sys
from pathlib import Path

from models.analyzer import Analyzer
from models.events import Sample, Tick
from models.notation import parse

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it quietly
text = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("incident.trace")).read_text(encoding="utf-8")
analyzer = Analyzer(partitions=["file/0"])
for event in sorted(parse(text), key=lambda event: event.time):
    if not isinstance(event, Sample):
        analyzer.feed(event)
    for change in analyzer.feed(Tick(partition="file/0", watermark=event.time, mode="data")):
        print(change.verb, change.finding.finding_id, change.finding.title)
for change in analyzer.finish():
    print(change.verb, change.finding.finding_id, change.finding.title)
