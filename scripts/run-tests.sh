#!/bin/bash
# Runs the tests and says what it leaves out and why. Ends with pytest's summary of the whole suite.
# usage: run-tests.sh PYTHON [--faults] [pytest arguments...]
# Kafka-marked tests run twice where Java and Maven are: on the embedded broker, and on Apache Kafka from Maven Central.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1; shift
scenarios='not faults'
if [ "${1:-}" = --faults ]; then scenarios=faults; shift; fi

left_out=()
command -v java >/dev/null && command -v mvn >/dev/null && apache=yes || { apache=; left_out+=("Apache Kafka: needs java (17+) and mvn; the embedded broker stands in for it"); }
command -v prometheus-alertmanager >/dev/null || command -v alertmanager >/dev/null || left_out+=("Alertmanager: scripts/install-system-parts.sh installs it")
command -v promtool >/dev/null || left_out+=("promtool, which checks /metrics: scripts/install-system-parts.sh installs it")
command -v go >/dev/null || left_out+=("the compose file in Compose's own loader: needs go 1.24+")
say_left_out() { for part in "${left_out[@]}"; do echo "left out - $part"; done; }

say_left_out
status=0
if [ -n "$apache" ]; then
  echo "== tests that need a broker, on Apache Kafka"
  INTERPLAY_TEST_BROKER=apache "$python" -m pytest -m "kafka and $scenarios" "$@" || status=$?
  [ "$status" -ne 5 ] || status=0  # nothing selected
fi
echo "== all tests, on the embedded broker"
"$python" -m pytest -m "$scenarios" "$@" || status=$?
exit "$status"
