"""The page docs/configuration.md, made from the settings themselves, so that it cannot be wrong: `interplay config --reference`."""

from __future__ import annotations

from models.instants import format_duration
from streams.settings import Settings
from streams.settings_file.keys import FILE_KEYS, KEYS, variable
from streams.settings_file.values import FORMS, lookup, written
from streams.sources.kinds import KINDS

_HEAD = """# Configuration

One TOML file and the environment above it. The file is `--config FILE`, else `$INTERPLAY_CONFIG`, else `./interplay.toml` where there is
one, else there is none and the defaults hold. A setting `analysis.thrashing.close` is written

```toml
[analysis.thrashing]
close = 0.5
```

or `INTERPLAY_ANALYSIS__THRASHING__CLOSE=0.5`. Durations are texts such as `"200ms"`, `"15m"`, `"1h30m"`, `"30d"`. In the environment a
list is separated by commas. Everything is checked before anything starts: each mistake is one line that names the place.

`interplay config` prints the effective values and where each came from. Secrets are masked there, and never written to logs. A secret
may be read from a file instead (`{files}`), as container platforms mount them.

This page is written by `interplay config --reference`.
"""

_WAIVERS = """
## `[[waiver]]`

An interplay that is intended, such as two HPAs on one deployment of which one may only scale up and the other only down. Any number of
these tables, in the file only; every field is needed:

```toml
[[waiver]]
pattern = "thrashing"            # or one kind of it: "thrashing/sustained"
agents = ["hpa-up", "hpa-down"]  # globs: each of the finding's agents is one of these, and each of these takes part
resource = "k8s/prod/*"          # glob over every resource of the finding; * stands for any characters, also /
owner = "team-cart"
reason = "one scales up only, the other down only"
expires = 2027-01-31             # its first moment, UTC; or a time such as 2027-01-31T18:00:00Z
```

What is covered does not fail `interplay analyze --fail-on`, and pages nobody (`interplay_alerts_total{outcome="silent_waived"}`). It is
still found, stored, shown, and said to be waived, by whom and why. Expiry is judged in event time, by the finding's newest evidence and
not by a clock: the same events give the same answer whenever they are read. `interplay analyze` reports waivers that have expired and
would have been needed, and those that match nothing.
"""

_OTLP = """
## `[[otlp.action]]`, `[[otlp.read]]`, `[[otlp.metric]]`, `[[otlp.log]]`

Which spans and events are writes and which are reads, how metrics are named, and which log records are transitions: docs/opentelemetry.md.
"""

_CALLS = """
## `[[cloudtrail.call]]`

Calls of AWS beyond those that are known, and what they change: docs/cloudtrail.md.
"""

_MAPS = """
## `[[map]]`

Rules that make events of any JSON, such as webhooks: docs/mapping.md.
"""

_SOURCES = """
## `[[source]]`

A topic that was there before, and what its records are: logs that were not written for this program are translated as they are read.
Any number of these tables, in the file only:

```toml
[[source]]
topic = "audit"        # its full name
kind = "k8s-audit"     # {kinds}
cluster = "prod"       # begins the names of its resources, k8s/prod/...; default "cluster"
domain = "platform"    # of all its events; default "default"
partitions = 1         # where `interplay init` has to create the topic; default 1
rules = []             # of kind json: names of the [[map]] rules for it; default all of them
```

**Dead letters hold records as they came**, with whatever secrets are in them, for `topics.retention`. Their headers say `reason`,
`path`, `detail`, `topic`, `partition` and `offset`; of several letters of one record one holds it, the others have headers alone;
what is bad in a record beyond a thousand items is counted alone.
Let only those read
`<prefix>.dead-letters` who may read the sources, by Kafka's ACLs, at brokers without `allow.everyone.if.no.acl.found=true`:

```sh
acl="kafka-acls.sh --bootstrap-server BROKER --add --topic interplay.dead-letters"
$acl --allow-principal User:interplay --operation Write --operation Describe
$acl --allow-principal User:operator --operation Read --operation Describe
```

`interplay init` checks the topic: `message.timestamp.type` must be `LogAppendTime`. A topic that Kafka made by its defaults has
`CreateTime`; `init` then says the command that alters it, for all who read that topic. What is translated is a history
(an old value is what an earlier record said), so all records of one object have to be in one partition: let the shipper use one
partition, or one per cluster.

## `[[agent]]`

What an agent is called in logs of others, where the table that comes with the program does not know it. The first that matches counts:

```toml
[[agent]]
name = "terraform"
user = "system:serviceaccount:ci:*"   # a glob over who asked; default "*"
user_agent = "*terraform*"            # a glob over the program that asked; default "*"
```
"""

_INVARIANTS = """
## `[[analysis.conflict.invariant]]`

What must hold over several parameters at once, so that two writers that change one each and break it together are found (`write_skew`).
Any number of these tables, in the file only:

```toml
[[analysis.conflict.invariant]]
name = "one replica serves"
knobs = ["db/a serving", "db/b serving"]  # 2 to 16, each RESOURCE PARAMETER
function = "sum"                          # of their values: sum (default), min or max; true counts 1, false 0
op = ">="                                 # >= (default), >, < or <=
bound = 1
margin = 0                                # nearer to the bound than this, together and unseen, is a warning; 0 (default) = none
```
"""


def page() -> str:
    """The whole page, as Markdown."""
    lines = [_HEAD.format(files="`, `".join(FILE_KEYS))]
    table = ""
    for name in FORMS:
        section = name.rsplit(".", 1)[0]
        if section != table:
            lines += [
                f"\n## `[{section}]`\n",
                "| key | type | default | meaning | environment |",
                "|---|---|---|---|---|",
            ]
            table = section
        default = written(name, lookup(Settings(), name))
        lines.append(f"| `{name.rsplit('.', 1)[1]}` | {_type(name)} | `{default}` | {KEYS[name].meaning} | `{variable(name)}` |")
    lists = _SOURCES.format(kinds=", ".join(KINDS)) + _INVARIANTS + _CALLS + _MAPS + _OTLP + _WAIVERS
    return ("\n".join(lines) + "\n" + lists).replace("\n\n\n", "\n\n")


def _type(name: str) -> str:
    form, key = FORMS[name], KEYS[name]
    kind = {"choice": "one of " + ", ".join(form.choices), "switch": "true or false"}.get(form.kind, form.kind)
    if key.duration:
        kind = "list of durations" if form.kind == "list" else "duration"
        return f"{kind}, {format_duration(int(key.low or 0))} to {format_duration(int(key.high or 0))}"
    if key.low is not None:
        return f"{kind}, {key.low} to {key.high}"
    return "text, secret" if key.secret else kind
