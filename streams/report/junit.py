"""JUnit XML, as CI viewers read it: a test case for each finding, and one for each pattern without any, so that nothing found is a pass.

A finding that `--fail-on` matches is a failure, a waived one is skipped, any other passes and says in its output what it is. There are no
times and no host names: the same events give the same file.
"""

from __future__ import annotations

from xml.etree import ElementTree

from models.findings import KINDS
from streams.report.judged import Judged, Report
from streams.report.words import body, shown
from streams.terminal import Terminal
from streams.waivers import sentence

SUITE = "interplay"


def render(report: Report, terminal: Terminal) -> str:
    """The whole document. `terminal` does not matter: this is for programs."""
    found = {each.finding.pattern for each in report.judged}
    quiet = [pattern for pattern in KINDS if pattern not in found]
    counts = {
        "tests": str(len(report.judged) + len(quiet)),
        "failures": str(len(report.failed)),
        "errors": "0",
        "skipped": str(sum(each.waived for each in report.judged)),
    }
    root = ElementTree.Element("testsuites", {"name": SUITE, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts, "time": "0"})
    for each in report.judged:
        _case(suite, each)
    for pattern in quiet:
        _element(suite, pattern, "nothing found")
    ElementTree.SubElement(suite, "system-out").text = "\n".join(shown(line) for line in report.summary)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _case(suite: ElementTree.Element, each: Judged) -> None:
    finding, title = each.finding, shown(each.finding.title)
    case = _element(suite, f"{finding.pattern}.{finding.kind}", f"{title} [{finding.finding_id}]")
    note = shown(sentence(each.ruling)) if each.ruling is not None else ""
    story = "\n".join([title, *body(finding), *([note] if note else [])])
    if each.waived:
        ElementTree.SubElement(case, "skipped", {"message": note})
    elif each.broken:
        failure = ElementTree.SubElement(case, "failure", {"message": title, "type": f"{finding.severity} {each.broken}"})
        failure.text = story
        return
    ElementTree.SubElement(case, "system-out").text = story


def _element(suite: ElementTree.Element, name: str, case: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": f"{SUITE}.{name}", "name": case, "time": "0"})
