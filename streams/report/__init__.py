"""Findings for people and for programs: one file per format, listed in FORMATS. All of them tell the same `Report`."""

from __future__ import annotations

from collections.abc import Callable

from streams.report import html, jsonl, junit, sarif, text
from streams.report.judged import Report
from streams.terminal import Terminal

FORMATS: dict[str, Callable[[Report, Terminal], str]] = {
    "text": text.render,
    "json": jsonl.render,
    "html": html.render,
    "junit": junit.render,
    "sarif": sarif.render,
}
