"""Findings to on-call. A new target is one file with a class that fits `Target` and a `configured` function, and one line here."""

from __future__ import annotations

from collections.abc import Callable

from streams.alerts import alertmanager
from streams.alerts.target import Target
from streams.settings import Alert

# Each makes its target from the settings, or None where they do not ask for it; ValueError, in one line, where they cannot work.
TARGETS: dict[str, Callable[[Alert], Target | None]] = {
    "alertmanager": alertmanager.configured,
}


def configured_targets(alert: Alert) -> tuple[Target, ...]:
    """The targets that the settings ask for; none means observe only. ValueError, in one line, on a setting that cannot work."""
    return tuple(target for make in TARGETS.values() if (target := make(alert)) is not None)
