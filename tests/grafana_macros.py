"""What Grafana does to a query before ClickHouse sees it: variables and $__conditionalAll (front end), then macros (back end).

Written from the plugin's documentation and test vectors. Stricter than Grafana on purpose where Grafana would fail silently: an
unknown macro, or a condition that JavaScript's replace would corrupt, is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

ALL = "$__all"
CORRUPTING = ("$'", "$&", "$`", "$$")
VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)([A-Za-z_]\w*)")

Variables = Mapping[str, Sequence[str]]


def arguments(sql: str, opening: int) -> tuple[list[str], int]:
    """The arguments of the call whose bracket opens at `opening`, split at commas outside round brackets, and where it ends.

    Brackets count inside quotes too, as they do in Grafana.
    """
    depth, start, found = 0, opening + 1, []
    for at in range(opening, len(sql)):
        if sql[at] == "(":
            depth += 1
        elif sql[at] == ")":
            depth -= 1
            if depth == 0:
                return [*found, sql[start:at].strip()], at + 1
        elif sql[at] == "," and depth == 1:
            found.append(sql[start:at].strip())
            start = at + 1
    raise ValueError(f"unbalanced brackets after {sql[max(0, opening - 30) : opening + 1]!r}")


def conditional_all(sql: str, variables: Variables) -> str:
    """$__conditionalAll(condition, $variable): the condition, or 1=1 while everything is selected. Last macro first."""
    while (at := sql.rfind("$__conditionalAll(")) >= 0:
        found, end = arguments(sql, sql.index("(", at))
        if len(found) != 2 or not re.fullmatch(r"\$\w+", found[1]):
            raise ValueError(f"$__conditionalAll takes a condition without bare commas and a plain $variable, not {found}")
        if any(corrupting in found[0] for corrupting in CORRUPTING):
            raise ValueError(f"Grafana would corrupt the condition {found[0]!r}")
        values = variables[found[1][1:]]
        everything = not values or list(values) in ([ALL], [""])
        sql = sql[:at] + ("1=1" if everything else found[0]) + sql[end:]
    return sql


def interpolate(sql: str, variables: Variables) -> str:
    """`${name:singlequote}` and friends; an unknown name is left alone, as Grafana does."""

    def value(match: re.Match[str]) -> str:
        name, form = match[1] or match[3], match[2] or ""
        if name not in variables:
            return match[0]
        if form == "singlequote":
            return ",".join("'" + v.replace("'", "\\'") + "'" for v in variables[name])
        return ",".join(variables[name])

    return VARIABLE.sub(value, sql)


def expand(sql: str, start: datetime, end: datetime, variables: Variables, interval_s: int = 60) -> str:
    """The SQL that reaches ClickHouse for the time range `start` to `end`. Raises ValueError for a macro that the plugin does not know."""
    first, last = int(start.timestamp()), int(end.timestamp())
    macros: dict[str, Callable[..., str]] = {
        "timeFilter": lambda column: f"{column} >= toDateTime({first}) AND {column} <= toDateTime({last})",
        "timeFilter_ms": lambda column: (
            f"{column} >= fromUnixTimestamp64Milli({first * 1000}) AND {column} <= fromUnixTimestamp64Milli({last * 1000})"
        ),
        "timeInterval": lambda column: f"toStartOfInterval(toDateTime({column}), INTERVAL {interval_s} second)",
    }
    plain = {"fromTime": f"toDateTime({first})", "toTime": f"toDateTime({last})", "interval_s": str(interval_s)}
    sql = re.sub(r"--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)
    sql = interpolate(conditional_all(sql, variables), variables)
    while match := re.search(r"\$__(\w+)", sql):
        name = match[1]
        if name in macros and sql[match.end() : match.end() + 1] == "(":
            found, end_at = arguments(sql, match.end())
            sql = sql[: match.start()] + macros[name](*found) + sql[end_at:]
        elif name in plain:
            sql = sql[: match.start()] + plain[name] + sql[match.end() :]
        else:
            raise ValueError(f"the data source has no macro $__{name} in this form")
    return sql
