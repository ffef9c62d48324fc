#!/bin/bash
# Runs a real single-node Apache Kafka (KRaft) on loopback, without a container. Needs Java 17+ and, the first time, Maven.
# usage: apache-kafka.sh jars            fetches the jars from Maven Central into .cache/apache-kafka, once
#        apache-kafka.sh run DIR PORT    runs the broker in the foreground; data and configuration live in DIR and survive a restart;
#                                        properties in DIR/extra.properties win over ours
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(dirname "$here")/.cache/apache-kafka

fetch_jars() {
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9  # two test runs may start at once
  # the pom's checksum names the directory, so that a new version is fetched anew
  libs=$cache/libs-$(cksum <"$here/apache-kafka/pom.xml" | cut -d' ' -f1)
  if [ ! -d "$libs" ]; then
    rm -rf "$libs.partial"
    mvn -q -B -ntp -f "$here/apache-kafka/pom.xml" dependency:copy-dependencies -DoutputDirectory="$libs.partial" >&2
    mv "$libs.partial" "$libs"
  fi
  exec 9>&-
}

run() {
  local dir=$1 port=$2
  mkdir -p "$dir"
  local properties=$dir/server.properties
  if [ ! -f "$properties" ]; then
    local controller
    controller=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sed -e "s#@DIR@#$dir#" -e "s#@PORT@#$port#" -e "s#@CONTROLLER_PORT@#$controller#" "$here/apache-kafka/server.properties" >"$properties"
    if [ -f "$dir/extra.properties" ]; then cat "$dir/extra.properties" >>"$properties"; fi
  fi
  local java=(java -Xmx512m -cp "$libs/*:$here/apache-kafka" -Dlog4j2.configurationFile="$here/apache-kafka/log4j2.properties")
  if [ ! -f "$dir/data/meta.properties" ]; then
    local id
    # no dash: at the beginning, the tool takes it for an option
    id=$(python3 -c 'import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A"))')
    "${java[@]}" kafka.tools.StorageTool format -t "$id" -c "$properties" --standalone
  fi
  exec "${java[@]}" kafka.Kafka "$properties"
}

case ${1:-} in
  jars) fetch_jars ;;
  run) fetch_jars; run "$(realpath -m "$2")" "$3" ;;
  *) sed -n 's/^# \(usage\|  *apache\)/\1/p' "$0" >&2; exit 2 ;;
esac
