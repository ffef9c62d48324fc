"""Looks at one role from outside, every second: lag, assignment, stalls; and serves /metrics and /health."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web
from faust.types import TP

from streams.metrics import Metrics
from streams.roles.application import RoleApp
from streams.roles.work import Work
from streams.settings import ROLES, Role, Settings
from streams.watchdog import Watchdog

LOOK_S = 1.0
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class PortTaken(Exception):
    """The port for /metrics and /health cannot be had. The text is one line."""


class Monitor:
    """Of one role in one process."""

    def __init__(self, settings: Settings, role: Role, work: Work, app: RoleApp, metrics: Metrics) -> None:
        self._settings = settings.worker
        self._role = role
        self._work = work
        self._app = app
        self._metrics = metrics
        self._dog = Watchdog(settings.worker.stall_timeout)
        self._joined = False
        self._assigned: set[TP] = set()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        """Opens the port: the role's place after `http_port`, or any free one where that is 0. Raises PortTaken."""
        server = web.Application()
        server.add_routes([web.get("/metrics", self._serve_metrics), web.get("/health", self._serve_health)])
        self._runner = web.AppRunner(server, access_log=None)
        await self._runner.setup()
        first = self._settings.http_port
        host, port = self._settings.http_host, first and first + ROLES.index(self._role)
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {host}:{port} ({error.strerror}): set worker.http_port, or end what listens there"
            ) from None
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Closes the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def watch(self, stalled: Callable[[str], None]) -> None:
        """Looks until it is cancelled; tells why the worker has to end."""
        while True:
            reason = self._look()
            if reason is not None:
                stalled(reason)
            await asyncio.sleep(LOOK_S)

    def _look(self) -> str | None:
        consumer, put = self._app.consumer, self._metrics.set
        self._joined = self._joined or (consumer.joined and not self._app.rebalancing)
        lags = consumer.lags() if self._joined else {}
        for tp in self._assigned - lags.keys():
            self._metrics.forget(tp.topic, str(tp.partition))  # another worker tells of it now
        self._assigned = set(lags)
        since = self._app.in_hand_since
        put("interplay_assigned_partitions", len(lags))
        put("interplay_in_hand_seconds", 0 if since is None else time.monotonic() - since)
        put("interplay_last_handled_timestamp_seconds", consumer.last_handled)
        for (name, number), lag in lags.items():
            put("interplay_lag_records", lag, name, str(number))
        for tp, count in consumer.handled.items():
            put("interplay_records_total", count, tp.topic, str(tp.partition))
        if self._app.crashed:
            return f"Faust has crashed: {self._app.crash_reason!r}"
        return self._dog.stalled(time.monotonic_ns(), sum(lags.values()), sum(consumer.handled.values()), self._work.waiting)

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self._metrics.render(), headers={"Content-Type": TEXT})

    async def _serve_health(self, request: web.Request) -> web.Response:
        if not self._joined:
            return web.Response(text=f"{self._role}: joining its consumer group\n", status=503)
        if self._role == "store" and self._work.waiting:  # no 503: to start it again would not help
            return web.Response(text="store: waits for ClickHouse\n")
        return web.Response(text=f"{self._role}: ok\n")
