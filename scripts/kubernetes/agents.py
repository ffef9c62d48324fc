"""The small agents that fight with the real controllers. Each acts as its own user; none knows of the other."""

from __future__ import annotations

import os
import threading
import urllib.error
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType

from scripts.kubernetes.api import Api
from scripts.kubernetes.cluster import OBJECTS, Cluster
from scripts.kubernetes.witness import DEPLOYMENTS


def manifest(kind: str, name: str, replicas: int = 2, cpu: str = "250m", selector: str = "{}") -> str:
    """The text of objects/KIND.yaml for an app of this name."""
    text = (OBJECTS / f"{kind}.yaml").read_text()
    for field, value in {"NAME": name, "REPLICAS": replicas, "CPU": cpu, "SELECTOR": selector}.items():
        text = text.replace(f"@{field}@", str(value))
    return text


class Agents:
    """Runs agents side by side; a context manager. What one of them raises ends the scenario."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._pool, self._running = ThreadPoolExecutor(), list[Future[None]]()

    def __enter__(self) -> Agents:
        return self

    def every(self, seconds: float, act: Callable[[], object]) -> None:
        """Calls `act` now, and again after each pause, until the end."""

        def loop() -> None:
            while not self.ended.is_set():
                act()
                self.ended.wait(seconds)

        self._running.append(self._pool.submit(loop))

    def rest(self, seconds: float) -> None:
        """Lets them act for so long. Raises at once what one of them raises."""
        ended, _ = wait(self._running, timeout=seconds, return_when=FIRST_EXCEPTION)
        for each in ended:
            each.result()

    def end(self) -> None:
        """Returns when all have stopped. Raises what one of them raised."""
        self.ended.set()
        for each in self._running:
            each.result()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.ended.set()
        self._pool.shutdown()
        if error is None:
            self.end()


def apply(cluster: Cluster, text: str) -> None:
    """A GitOps sync as its server-side apply does it: what the manifest says wins."""
    arguments = ("apply", "--server-side", "--force-conflicts", "--field-manager=gitops-sync", "-f", "-")
    cluster.kubectl("sync", *arguments, stdin=text)


def edit(cluster: Cluster, name: str, old: str, new: str) -> None:
    """A person with `kubectl edit`: reads, changes one line in an editor, saves."""
    environment = os.environ | {"KUBE_EDITOR": f"sed -i 's/{old}/{new}/'"}
    cluster.kubectl("alice", "-n", "store", "edit", f"deployment/{name}", environment=environment)


def keep_memory(api: Api, name: str, memory: str) -> None:
    """An operator: reads the Deployment, and puts the whole object back with its own memory limit; after a conflict it waits a turn."""
    found = api.request("GET", f"{DEPLOYMENTS}/{name}")
    limits = found["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    if limits["memory"] == memory:
        return
    limits["memory"] = memory
    try:
        api.request("PUT", f"{DEPLOYMENTS}/{name}", found)
    except urllib.error.HTTPError as refused:
        if refused.code != 409:
            raise


def deschedule(cluster: Cluster, seconds: int) -> None:
    """Starts the real descheduler, which looks at all nodes every so many seconds."""
    policy: Path = OBJECTS / "descheduler.yaml"
    cluster.run(
        "descheduler", f"--kubeconfig={cluster.kubeconfig('descheduler')}", f"--policy-config-file={policy}",
        f"--descheduling-interval={seconds}s", "--bind-address=127.0.0.1", f"--secure-port={cluster.descheduler}",
    )  # fmt: skip
