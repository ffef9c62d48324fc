"""A real control plane on loopback: etcd, API server, controllers, scheduler, and kwok in the kubelets' place. `stop` ends all of it."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from scripts.kubernetes.api import Api
from scripts.kubernetes.build import STAGES_FILE, Missing

OBJECTS = Path(__file__).parent / "objects"
SYNC = 5  # seconds between two looks of the autoscaler; Kubernetes' default is 15
USERS = {  # who has a static token, as a person with a kubeconfig has; service accounts get bound tokens from the server
    "admin": ("kubernetes-admin", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "alice": ("alice", "sre"),
}


class Failed(Exception):
    """What of the cluster did not do what it was asked: one line."""


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 90) -> None:
    """Returns when `holds` does. Raises Failed."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    """A context manager: within it the cluster runs, and writes `folder`/audit.log by `policy` (the text of an audit policy)."""

    def __init__(self, binaries: Path, folder: Path, policy: str) -> None:
        if shutil.which("openssl") is None:
            raise Missing("openssl is not installed: it makes the lab's certificate")
        self.binaries, self.folder = binaries, folder
        self.processes: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.tokens = {name: secrets.token_hex(16) for name in USERS}
        self.audit, self.certificate, self.key = (folder / name for name in ("audit.log", "server.crt", "server.key"))
        self.etcd, self.peer, self.port, self.metrics, self.kwok, self.descheduler, *self.rest = free_ports(8)
        self.server = f"https://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "policy.yaml").write_text(policy)

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def kubectl(self, user: str, *arguments: str, stdin: str = "", environment: dict[str, str] | None = None) -> str:
        """Output of the real kubectl as this user. Raises Failed with its message."""
        command = [str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig(user)), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=120)
        if done.returncode:
            raise Failed(f"kubectl {' '.join(arguments[:4])} as {user}: {done.stderr.strip()}")
        return done.stdout

    def api(self, user: str, name: str) -> Api:
        """The server as `user`, for a program called `name`."""
        return Api(self.server, self.certificate, self.tokens[user], name)

    def account(self, name: str, namespace: str, account: str) -> None:
        """Makes `name` a user: a service account with a bound token."""
        self.tokens[name] = self.kubectl("admin", "-n", namespace, "create", "token", account, "--duration=6h").strip()

    def kubeconfig(self, user: str) -> Path:
        """A file that kubectl and the controllers take."""
        file = self.folder / f"{user}.kubeconfig"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(
                "apiVersion: v1\nkind: Config\n"
                f'clusters: [{{name: lab, cluster: {{server: "{self.server}", certificate-authority: "{self.certificate}"}}}}]\n'
                f'users: [{{name: user, user: {{token: "{self.tokens[user]}"}}}}]\n'
                "contexts: [{name: lab, context: {cluster: lab, user: user}}]\ncurrent-context: lab\n"
            )
        return file

    def run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a program; its output goes to `folder`/NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(self.binaries / name), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )  # a session of its own: Ctrl-C reaches the driver alone, which then ends all in order
        self.processes.append((name, process))
        return process

    def stop(self) -> None:
        """Ends what was started, the last first, by its process id; and removes etcd's data."""
        for _, process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)  # the API server waits a minute for its watches, and its audit log is on disk already
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def check(self) -> None:
        """Raises Failed if a program has ended."""
        for name, process in self.processes:
            if process.poll() is not None:
                last = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-1:]
                raise Failed(f"{name} ended with {process.returncode}: {''.join(last)}")

    def _start(self) -> None:
        self._write_keys()
        client, peer = f"http://127.0.0.1:{self.etcd}", f"http://127.0.0.1:{self.peer}"
        self.run(
            "etcd",
            "--name=lab", f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=lab={peer}", "--unsafe-no-fsync",
        )  # fmt: skip
        self.run("kube-apiserver", *self._server_flags(client))
        self._wait("the API server serves", self.api("admin", "driver").ready)
        ports = [f"--secure-port={port}" for port in self.rest]
        self.run(
            "kube-controller-manager", f"--kubeconfig={self.kubeconfig('controllers')}", "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self.key}", f"--root-ca-file={self.certificate}", "--bind-address=127.0.0.1", ports[0],
            f"--horizontal-pod-autoscaler-sync-period={SYNC}s",
        )  # fmt: skip
        self.run("kube-scheduler", f"--kubeconfig={self.kubeconfig('scheduler')}", "--bind-address=127.0.0.1", ports[1])
        lab = (OBJECTS / "lab.yaml").read_text().replace("@METRICS_PORT@", str(self.metrics))
        self.kubectl("admin", "apply", "-f", "-", stdin=lab)
        rules = ("get", "clusterrole", "edit", "-o", "jsonpath={.rules}")  # which a controller puts together after the start
        self._wait("the role `edit` has its rules", lambda: "deployments" in self.kubectl("admin", *rules))
        self.account("kwok", "kube-system", "kwok-controller")
        self.account("sync", "gitops", "sync")
        self.account("operator", "ops", "memory-operator")
        self.account("descheduler", "kube-system", "descheduler")
        self.run(
            "kwok", f"--kubeconfig={self.kubeconfig('kwok')}", "--manage-all-nodes=true", f"--config={self.binaries / STAGES_FILE}",
            f"--server-address=127.0.0.1:{self.kwok}",
            "--node-lease-duration-seconds=40",
        )  # fmt: skip
        self._wait("the nodes are ready", lambda: self.kubectl("admin", "get", "nodes").count(" Ready ") == 3)

    def _server_flags(self, etcd: str) -> list[str]:
        return [
            f"--etcd-servers={etcd}", f"--secure-port={self.port}", "--bind-address=127.0.0.1", "--advertise-address=192.0.2.10",
            "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC",
            "--enable-aggregator-routing=false", f"--token-auth-file={self.folder / 'tokens.csv'}", f"--tls-cert-file={self.certificate}",
            f"--tls-private-key-file={self.key}", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self.key}", f"--service-account-key-file={self.key}", "--profiling=false",
            f"--audit-policy-file={self.folder / 'policy.yaml'}", f"--audit-log-path={self.audit}",
        ]  # fmt: skip

    def _write_keys(self) -> None:
        """One key and one certificate for the whole lab, valid for a week, and the file of static tokens."""
        names = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,IP:10.96.0.1"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=interplay-lab", "-addext",
             f"subjectAltName={names}", "-keyout", str(self.key), "-out", str(self.certificate)], check=True, capture_output=True,
        )  # fmt: skip
        self.key.chmod(0o600)
        tokens = self.folder / "tokens.csv"
        tokens.touch(mode=0o600)
        rows = (f"{self.tokens[name]},{user},{user}" + (f',"{group}"' if group else "") for name, (user, group) in USERS.items())
        tokens.write_text("\n".join(rows) + "\n")

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        def holds_or_fails() -> bool:
            self.check()
            return holds()

        wait_for(what, holds_or_fails, 180)
