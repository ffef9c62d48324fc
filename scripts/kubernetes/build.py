"""Builds the programs of a real control plane from published Go modules, once; the Go toolchain and its module proxy are all it takes.

About 16 minutes from an empty Go cache on two cores, and about 3 GB of it; seconds where the cache is warm.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KUBERNETES, STAGING = "v1.36.3", "v0.36.3"
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


class Missing(Exception):
    """What this machine has not, and what to do: one line."""


@dataclass(frozen=True)
class Workspace:
    """One scratch Go module: what it requires, and what it must replace because its parts do not agree by themselves."""

    name: str
    requires: tuple[str, ...]
    packages: tuple[str, ...]
    replaces: tuple[str, ...] = ()


WORKSPACES = (
    Workspace("etcd", ("go.etcd.io/etcd/server/v3 v3.6.8",), ("go.etcd.io/etcd/server/v3",)),
    Workspace(
        "kubernetes",
        (f"k8s.io/kubernetes {KUBERNETES}",),
        tuple(
            f"k8s.io/kubernetes/cmd/{name}" for name in ("kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
    ),
    Workspace(
        "nodes",
        ("sigs.k8s.io/kwok v0.8.0", "sigs.k8s.io/descheduler v0.36.0"),
        ("sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/descheduler/cmd/descheduler"),
        ("k8s.io/kube-openapi => k8s.io/kube-openapi v0.0.0-20260512234627-ef417d054102",),
    ),
)


STAGES_FILE = "kwok-stages.yaml"
STAGES = (  # of kwok's own: nodes that are ready and keep their leases, pods that are ready some seconds after they are placed
    "node/fast/node-initialize",
    "node/heartbeat-with-lease/node-heartbeat-with-lease",
    "pod/general/pod-create",
    "pod/general/pod-ready",
    "pod/general/pod-complete",
    "pod/general/pod-delete",
)


def program(package: str) -> str:
    """The name of the program that a Go package makes."""
    return "etcd" if "etcd" in package else package.rsplit("/", 1)[1]


def build(cache: Path) -> Path:
    """The folder that holds all programs, built where they are missing. Raises Missing."""
    binaries = cache / "bin"
    missing = [(space, each) for space in WORKSPACES for each in space.packages if not (binaries / program(each)).exists()]
    if not missing and (binaries / STAGES_FILE).exists():
        return binaries
    if shutil.which("go") is None:
        raise Missing("go is not installed: the control plane is built with Go 1.26 or newer, see https://go.dev/dl")
    binaries.mkdir(parents=True, exist_ok=True)
    if missing:
        print(f"building {len(missing)} programs into {binaries}; about 16 minutes if Go's cache is empty", flush=True)
    for space, package in missing:
        began = time.monotonic()
        folder = cache / "modules" / space.name
        prepare(space, folder)
        made = binaries / f"{program(package)}.partial"
        run_go(folder, "build", "-trimpath", "-ldflags", linker_flags(), "-o", str(made), package)
        made.rename(binaries / program(package))
        print(f"  {program(package)} built in {time.monotonic() - began:.0f} s", flush=True)
    kwok = run_go(cache / "modules" / "nodes", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok").strip()
    texts = [(Path(kwok) / "kustomize" / "stage" / f"{stage}.yaml").read_text() for stage in STAGES]
    (binaries / STAGES_FILE).write_text("---\n".join(texts))
    return binaries


def prepare(space: Workspace, folder: Path) -> None:
    """Writes the scratch module, if it is not there."""
    if (folder / "go.mod").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"module example.local/{space.name}", "go 1.26.0"]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    lines += [f"require {required}" for required in space.requires]
    if space.name != "etcd":
        lines += [f"replace {module} => {module} {STAGING}" for module in staging_modules(folder)]
    lines += [f"replace {replaced}" for replaced in space.replaces]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")


def staging_modules(folder: Path) -> Iterator[str]:
    """Kubernetes replaces its own libraries by folders beside it; from outside they are the published modules of the same release."""
    described = json.loads(run_go(folder, "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}"))
    for found in re.finditer(r"^\s*(?:replace )?(k8s\.io/\S+) => \./staging/", Path(described["GoMod"]).read_text(), re.MULTILINE):
        yield found[1]


def linker_flags() -> str:
    """No symbols, and the version that user agents in the audit log name."""
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor, "gitCommit": "unknown"}
    return " ".join(["-s -w", *(f"-X {package}.{key}={value}" for package in VERSION_PACKAGES for key, value in values.items())])


def run_go(folder: Path, *arguments: str) -> str:
    """Output of one go command. GOFLAGS of the caller win, so that `GOFLAGS=-p=1` saves memory. Raises Missing with Go's last word."""
    flags = f"-mod=mod -buildvcs=false {os.environ.get('GOFLAGS', '')}"
    environment = os.environ | {"GOFLAGS": flags, "CGO_ENABLED": "0"}
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if re.search(r"dial tcp|lookup |no such host|connection refused|i/o timeout|proxyconnect", done.stderr):
            raise Missing(f"no network to Go's module proxy (GOPROXY): {last}")
        raise Missing(f"go {arguments[0]} failed in {folder}: {last}")
    return done.stdout
