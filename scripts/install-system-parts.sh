#!/bin/bash
# Installs the parts of the test bench that come from Debian or Ubuntu, not from PyPI: Alertmanager with amtool, and promtool (in `prometheus`).
# Tests that need them skip without them, so this is for CI and for whoever wants the whole suite. Safe to repeat: what is there is left alone.
# No service is started: the tests start their own on free ports, and nothing of ours may listen on a machine that only ran this script.
set -euo pipefail

packages=()
command -v prometheus-alertmanager >/dev/null && command -v amtool >/dev/null || packages+=(prometheus-alertmanager)
command -v promtool >/dev/null || packages+=(prometheus)
if [ ${#packages[@]} -eq 0 ]; then
  echo "system parts: all there"
  exit 0
fi

command -v apt-get >/dev/null || { echo "system parts: no apt-get here; install ${packages[*]} by hand (binaries: prometheus-alertmanager, amtool, promtool)" >&2; exit 1; }
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "system parts: run this as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi

# Debian's own switch: while policy-rc.d answers 101, package scripts start no service. One that an administrator put there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
# An administrator's policy may have let them start, and a later boot must not start them either.
if [ -d /run/systemd/system ]; then
  "${as_root[@]}" systemctl disable --now --quiet "${packages[@]}"
fi
echo "system parts: installed ${packages[*]}"
