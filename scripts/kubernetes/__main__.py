"""Records fights in a real Kubernetes control plane and checks what `interplay analyze` finds in its audit log.

usage: python -m scripts.kubernetes [--cache DIR] run [--out DIR] [SCENARIO ...]   build, play, record, check (make e2e-kubernetes)
       python -m scripts.kubernetes [--cache DIR] cluster DIR                      only a cluster, until Ctrl-C
       python -m scripts.kubernetes check DIR                                      check recordings that are there
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.kubernetes.build import KUBERNETES, Missing, build
from scripts.kubernetes.check import analyze, complaints
from scripts.kubernetes.cluster import Cluster, Failed
from scripts.kubernetes.metrics import Metrics
from scripts.kubernetes.scenarios import NAME, SCENARIOS, Fight, Scenario

ROOT = Path(__file__).parents[2]


def policy() -> str:
    """The audit policy that docs/kubernetes.md tells to copy, as it stands there."""
    blocks: list[str] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "kubernetes.md").read_text(), re.DOTALL)
    return next(block for block in blocks if "kind: Policy" in block)


def record(scenario: Scenario, binaries: Path, out: Path) -> None:
    """Plays one scenario in a fresh cluster; keeps its log (NAME.whole.jsonl), the scenario's part (.jsonl.gz), the truth (.truth.json)."""
    print(f"{scenario.name}: {scenario.what}; about {scenario.minutes:g} minutes", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="interplay-kubernetes-") as folder,
        Cluster(binaries, Path(folder), policy()) as cluster,
    ):
        with Metrics(cluster.metrics, cluster.certificate, cluster.key) as metrics:
            begin = cluster.audit.stat().st_size
            fight = scenario.play(cluster, metrics)
            cluster.check()
        time.sleep(1)
        log = cluster.audit.read_bytes()
        end = log.rindex(b"\n") + 1
        begin = log.index(b"\n", begin - 1) + 1
        (out / f"{scenario.name}.whole.jsonl").write_bytes(log[:end])
        (out / f"{scenario.name}.jsonl.gz").write_bytes(gzip.compress(log[begin:end], 9, mtime=0))
    (out / f"{scenario.name}.truth.json").write_text(json.dumps(truth(scenario, fight), indent=1) + "\n")


def truth(scenario: Scenario, fight: Fight | None) -> dict[str, Any]:
    """What must be found, as a file says it."""
    told = None
    if fight:
        told = {
            "kind": fight.kind,
            "agents": list(fight.agents),
            "resource": fight.resource,
            "knobs": [fight.knob],
            "first": instant(fight.turns[0].time),
            "last": instant(fight.turns[-1].time),
            "turns": [[instant(turn.time), turn.value] for turn in fight.turns],
        }
    return {"scenario": scenario.name, "what": scenario.what, "cluster": NAME, "kubernetes": KUBERNETES, "fight": told}


def instant(seconds: float) -> str:
    """UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check(out: Path, names: list[str]) -> bool:
    """Says of each recording whether its findings are right; whether all are."""
    right = True
    for name in names:
        known = json.loads((out / f"{name}.truth.json").read_text())
        for log in (out / f"{name}.jsonl.gz", out / f"{name}.whole.jsonl"):
            if log.exists():
                wrong = complaints(analyze(log, known["cluster"]), known)
                print(f"{log.name}: {'; '.join(wrong) or ('found' if known['fight'] else 'silent')}", flush=True)
                right &= not wrong
    return right


def main() -> int:
    """0 if all findings are right; 1 if one is not, 2 if something is missing or the cluster failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that clusters are stopped
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "kubernetes", help="where the built programs are kept")
    commands = parser.add_subparsers(dest="command", required=True)
    played = commands.add_parser("run")
    played.add_argument("--out", type=Path, default=ROOT / ".cache" / "kubernetes" / "recordings", help="where recordings go")
    played.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(each.name for each in SCENARIOS))
    commands.add_parser("cluster").add_argument("folder", type=Path)
    commands.add_parser("check").add_argument("folder", type=Path)
    options = parser.parse_args()
    try:
        if options.command == "check":
            return (
                0 if check(options.folder, sorted(file.name.split(".")[0] for file in options.folder.glob("*.truth.json"))) else 1
            )
        binaries = build(options.cache)
        return serve(binaries, options.folder) if options.command == "cluster" else run(binaries, options.out, options.scenarios)
    except (Missing, Failed) as why:
        print(f"e2e-kubernetes: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("e2e-kubernetes: stopped", file=sys.stderr)
        return 2


def run(binaries: Path, out: Path, names: list[str]) -> int:
    """Plays and checks these scenarios, or all."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = [each for each in SCENARIOS if not names or each.name in names]
    if len(chosen) < len(names):
        raise Failed(f"no such scenario among {', '.join(names)}; there are {', '.join(each.name for each in SCENARIOS)}")
    right = True
    for scenario in chosen:
        record(scenario, binaries, out)
        right &= check(out, [scenario.name])
    print(f"recordings and truth are in {out}")
    return 0 if right else 1


def serve(binaries: Path, folder: Path) -> int:
    """A cluster to try things in."""
    if folder.exists() and any(folder.iterdir()):
        raise Failed(f"{folder} is not empty: a cluster wants a folder of its own")
    with Cluster(binaries, folder.resolve(), policy()) as cluster, Metrics(cluster.metrics, cluster.certificate, cluster.key):
        print(f"export KUBECONFIG={cluster.kubeconfig('alice')} PATH={binaries}:$PATH")
        print(f"the audit log is {cluster.audit}; Ctrl-C ends it all", flush=True)
        while True:
            time.sleep(1)
            cluster.check()


if __name__ == "__main__":
    sys.exit(main())
