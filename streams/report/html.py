"""One page in one file, to be kept with a build or sent to somebody: what failed first, a picture of the evidence with each finding.

It needs nothing from outside and runs nothing: no scripts, and a policy that lets a browser load none. Every text that came with the
events is escaped, and its control characters are taken out.
"""

from __future__ import annotations

from html import escape

from streams.report.judged import Judged, Report
from streams.report.lanes import colours, picture
from streams.report.words import body, shown
from streams.terminal import Terminal
from streams.waivers import sentence

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>interplay: {title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }}
h1 {{ font-size: 1.3rem }} h2 {{ font-size: 1.05rem; margin: 0 0 .4rem }}
section {{ border: 1px solid #d0d0d0; border-left: 6px solid #909090; border-radius: 4px; padding: .8rem 1rem; margin: 1rem 0 }}
.warning {{ border-left-color: #e69f00 }} .error, .critical {{ border-left-color: #c0392b }} .info {{ border-left-color: #56b4e9 }}
.waived {{ opacity: .75; border-left-color: #909090 }}
p {{ margin: .15rem 0 }} .mark {{ font-weight: 600 }} .id {{ color: #606060; font-family: monospace; font-size: .85rem }}
.key span {{ margin-right: 1rem; white-space: nowrap }} .key i {{ display: inline-block; width: .8rem; height: .8rem; border-radius: 50% }}
svg {{ width: 100%; height: auto; margin: .5rem 0 }} svg text {{ font: 12px system-ui, sans-serif; fill: #303030 }}
svg .name {{ font-weight: 600 }} svg .axis {{ fill: #606060 }} svg .end {{ text-anchor: end }}
svg .lane {{ stroke: #e0e0e0 }} svg .steps {{ fill: none; stroke: #b0b0b0; stroke-width: 1.5 }}
</style>
</head>
<body>
<h1>{title}</h1>
{summary}
{sections}
</body>
</html>"""


def render(report: Report, terminal: Terminal) -> str:
    """The whole document. `terminal` does not matter: this is for browsers."""
    ordered = sorted(report.judged, key=lambda each: (not each.broken, each.waived))  # stable: by time within each
    colour = colours([each.finding for each in ordered])
    failed = len(report.failed)
    title = f"{len(ordered):,} finding{'' if len(ordered) == 1 else 's'}" + (f", {failed:,} of them failing" if failed else "")
    return _PAGE.format(
        title=title,
        summary="\n".join(f"<p>{_safe(line)}</p>" for line in report.summary),
        sections="\n".join(_section(each, report, colour) for each in ordered),
    )


def _section(each: Judged, report: Report, colour: dict[str, str]) -> str:
    finding = each.finding
    lines = [f"<p>{_safe(line)}</p>" for line in body(finding)]
    if each.ruling is not None:
        lines.insert(0, f'<p class="mark">{_safe(sentence(each.ruling))}</p>')
    if each.broken:
        lines.insert(0, f'<p class="mark">Fails: --fail-on {_safe(each.broken)}</p>')
    key = "".join(f'<span><i style="background:{colour[agent]}"></i> {_safe(agent)}</span>' for agent in finding.agents)
    drawn = picture(finding, report.events, colour)
    head = f"{finding.severity} {finding.pattern}/{finding.kind}: {shown(finding.title)}"
    classes = f"{finding.severity} waived" if each.waived else finding.severity
    return "\n".join(
        [
            f'<section class="{_safe(classes)}" id="{_safe(finding.finding_id)}">',
            f"<h2>{_safe(head)}</h2>",
            *([f'<p class="key">{key}</p>', drawn] if drawn else []),
            *lines,
            f'<p class="id">{_safe(finding.finding_id)}</p>',
            "</section>",
        ]
    )


def _safe(text: str) -> str:
    return escape(shown(text))
