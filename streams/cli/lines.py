"""Events from the files of a command line, whatever source they are of, and the words for lines that are none."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from models.decode import Rejection
from models.events import AnyEvent
from streams.cli.command import Trouble
from streams.settings import Settings
from streams.settings_file.sources import check_cluster
from streams.sources.files import DAMAGED, Look, read_events
from streams.sources.kinds import KINDS
from streams.sources.logs import LogReader
from streams.sources.source import Origin
from streams.sources.traces import is_trace, read_trace

RECOGNISE, EVENTS, TRACE = "recognise", "events", "trace"


@dataclass
class Sourcing:
    """Of which source the files are, and what was passed over in logs that were not written for this program."""

    settings: Settings
    source: str = RECOGNISE
    cluster: str = "cluster"
    logs: dict[str, Counter[str]] = field(default_factory=dict)  # by the source's name
    taken_for: Callable[[str, int, Counter[str]], None] | None = None  # file, line, and what it was counted as

    @property
    def recorded(self) -> bool:
        """Whether a log was read that has valid records."""
        return any(counts.total() for counts in self.logs.values())

    def reader(self, file: str, also: Look | None) -> LogReader:
        """For one file."""
        told = None if self.taken_for is None else partial(self.taken_for, file)
        kind = "" if self.source == RECOGNISE else self.source
        reader = LogReader(self.settings, Origin(self.cluster), kind, also, told)
        reader.counts = self.logs
        return reader

    def sentences(self) -> list[str]:
        """What became of the lines of such logs, a sentence each."""
        told = []
        for source, counts in sorted(self.logs.items()):
            kind = KINDS[source]
            rest = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items()) if name != kind.taken)
            told.append(f"{source}: {counts[kind.taken]:,} {kind.meaning}{f'; passed over: {rest}' if rest else ''}.")
        return told


def sourcing_arguments(parser: ArgumentParser) -> None:
    """What a command that reads files of any source is given."""
    parser.add_argument(
        "--source",
        choices=(RECOGNISE, EVENTS, TRACE, *KINDS),
        default=RECOGNISE,
        help="what the files hold; by default a log is recognised by its content (k8s-audit: Kubernetes audit.k8s.io/v1; "
        "cloudtrail: AWS; otlp: OpenTelemetry); trace: the text notation, which else is known by the name *.trace",
    )
    parser.add_argument(
        "--cluster",
        metavar="NAME",
        type=_cluster,
        default="cluster",
        help="of Kubernetes, where the records do not say it: resources are called k8s/NAME/namespace/kind/name",
    )


def _cluster(text: str) -> str:
    if trouble := check_cluster(text):
        raise ArgumentTypeError(trouble)
    return text


def read(file: str, also: Look | None = None, sourcing: Sourcing | None = None) -> Iterator[tuple[int, AnyEvent | Rejection]]:
    """Line numbers with events, or with why there is none. Raises Trouble where the file cannot be read to its end.

    `also` is shown each line of JSON as it is; a trace has its own words, which its reader checks. Logs of other sources are read only
    with a `sourcing`, which is told what was passed over."""
    try:
        if is_trace(file) or (sourcing is not None and sourcing.source == TRACE):
            yield from read_trace(file)
        elif sourcing is None or sourcing.source == EVENTS:
            yield from read_events(file, also)
        else:
            yield from sourcing.reader(file, also).read(file)
    except DAMAGED as error:
        raise Trouble(f"{file}: cut short or damaged: {error}") from error
    except OSError as error:
        raise Trouble(f"{file}: {error.strerror or f'cut short or damaged: {error}'}") from error


def refusal(file: str, line: int, rejection: Rejection) -> str:
    """One line about a bad event: where, which field, what is wrong."""
    path = f" ({rejection.path})" if rejection.path else ""
    return f"{file}:{line}: {rejection.reason}{path}: {rejection.detail}"
