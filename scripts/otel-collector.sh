#!/bin/bash
# Builds a real OpenTelemetry Collector with a Kafka exporter from the Go module proxy, once, and prints where it is. Needs Go 1.25 or newer.
# usage: otel-collector.sh    about five minutes the first time, on two cores, at low priority; then nothing
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || { echo "otel-collector.sh needs Go: https://go.dev/dl" >&2; exit 1; }
# the list of parts names the directory, so that a changed one is built anew
out=$(dirname "$here")/.cache/otel-collector-$(cksum <"$here/otel-collector/builder.yaml" | cut -d' ' -f1)
mkdir -p "$out"
exec 9>"$out/lock"
flock 9 # two runs may start at once
if [ ! -x "$out/otelcol" ]; then
  export CGO_ENABLED=0 GOFLAGS="-p=2 -buildvcs=false" GOTOOLCHAIN=local
  [ -x "$out/builder" ] || GOBIN="$out" nice -n 19 go install go.opentelemetry.io/collector/cmd/builder@v0.155.0 >&2
  (cd "$out" && nice -n 19 ./builder --config "$here/otel-collector/builder.yaml" >&2)
  cp "$out/dist/otelcol" "$out/otelcol"
fi
echo "$out/otelcol"
