"""The macro expander that the dashboard tests stand on: values from the data source's documentation, and the traps of its front end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from grafana_macros import expand

START, END = datetime(2014, 11, 12, 11, 45, 26, tzinfo=UTC), datetime(2015, 11, 12, 11, 45, 26, tzinfo=UTC)
EVERYTHING = ["$__all"]


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__timeFilter(t)", "t >= toDateTime(1415792726) AND t <= toDateTime(1447328726)"),
        ("$__timeFilter(f(a, b).1)", "f(a, b).1 >= toDateTime(1415792726) AND f(a, b).1 <= toDateTime(1447328726)"),
        ("$__fromTime - $__toTime", "toDateTime(1415792726) - toDateTime(1447328726)"),
        ("$__timeInterval(t)", "toStartOfInterval(toDateTime(t), INTERVAL 20 second)"),
        ("1 -- $__timeFilter(t)", "1 "),
        ("$unknown ${unknown}", "$unknown ${unknown}"),
        ("x IN (${v:singlequote})", "x IN ('a','b\\'c')"),
        ("$__conditionalAll(x IN (${v:singlequote}), $v)", "x IN ('a','b\\'c')"),
        ("$__conditionalAll(x IN (${all:singlequote}), $all)", "1=1"),
        ("$__conditionalAll(x = ${none:singlequote}, $none)", "1=1"),
    ],
)
def test_an_expression_becomes(sql: str, expanded: str) -> None:
    variables = {"v": ["a", "b'c"], "all": EVERYTHING, "none": [""]}
    assert expand(sql, START, END, variables, 20) == expanded


@pytest.mark.parametrize(
    "sql",
    [
        "$__conditionalAll(x IN (${v}), ${v:singlequote})",  # never seen as "all": `$__all` would reach SQL
        "$__conditionalAll(agents = ['a','b'], $v)",  # a comma outside round brackets: the macro stays in the SQL
        "$__conditionalAll(title LIKE '%(%', $v)",  # brackets count in quotes too
        "$__conditionalAll(match(t, '^x$'), $v)",  # JavaScript's replace inserts what follows the macro
        "$__nothing(t)",
    ],
)
def test_what_grafana_would_get_wrong_is_refused(sql: str) -> None:
    with pytest.raises(ValueError):
        expand(sql, START, END, {"v": ["a"]})
