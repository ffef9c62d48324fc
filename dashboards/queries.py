"""The SQL of the dashboards, with the data source's macros.

Rules that every query keeps, and tests enforce: an ORDER BY without ties, a LIMIT, variables as `${name:singlequote}` inside
$__conditionalAll, no Enum or Array in the result.
"""

DOMAIN = "$__conditionalAll(domain IN (${domain:singlequote}), $domain)"
AGENT = "$__conditionalAll(agent IN (${agent:singlequote}), $agent)"
FIGHTER = "$__conditionalAll(hasAny(agents, [${agent:singlequote}]), $agent)"
CHOSEN = "$__conditionalAll(finding_id = ${finding:singlequote}, $finding)"  # alerts link here with var-finding
FOUND = f"started_at <= $__toTime AND updated_at >= $__fromTime AND {DOMAIN} AND {FIGHTER}"  # episodes that touch the time range
ACTED = f"kind = 'action' AND $__timeFilter(time) AND {DOMAIN} AND {AGENT}"

OPEN_COUNT = f"SELECT count() AS open FROM findings FINAL WHERE status = 'open' AND {DOMAIN} AND {FIGHTER} LIMIT 1"
ACTION_COUNT = f"SELECT uniqExact(source, id) AS actions FROM signals WHERE {ACTED} LIMIT 1"
DATA_AGE = f"SELECT dateDiff('second', max(time), now()) AS age FROM signals WHERE {DOMAIN} HAVING count() > 0 LIMIT 1"
LATE_SHARE = (
    f"SELECT uniqExactIf((source, id), late) / uniqExact(source, id) AS late FROM signals WHERE $__timeFilter(time) AND {DOMAIN}"
    " HAVING count() > 0 LIMIT 1"
)
OPEN_TABLE = f"""
SELECT toString(severity) AS "Severity", toString(pattern) AS "Pattern", toString(kind) AS "Kind", title AS "What", started_at AS "Since",
  arrayStringConcat(explanation, ' ') AS "In sentences", confidence AS "Confidence", toString(domain) AS "Domain", finding_id AS "Finding"
FROM findings FINAL WHERE (status = 'open' OR finding_id = ${{finding:singlequote}}) AND {CHOSEN} AND {DOMAIN} AND {FIGHTER}
ORDER BY findings.severity DESC, started_at, finding_id LIMIT 100"""
OPEN_OVER_TIME = f"""
SELECT toDateTime(bucket, 'UTC') AS time, toString(pattern) AS pattern, toFloat64(count()) AS open
FROM (SELECT pattern, arrayJoin(range(
    intDiv(greatest(toUInt32(toDateTime(started_at)), toUInt32($__fromTime)), $__interval_s) * $__interval_s,
    least(toUInt32(toDateTime(ifNull(resolved_at, $__toTime))), toUInt32($__toTime)) + 1, $__interval_s)) AS bucket
  FROM findings FINAL WHERE started_at <= $__toTime AND ifNull(resolved_at, $__toTime) >= $__fromTime AND {DOMAIN} AND {FIGHTER})
GROUP BY time, pattern ORDER BY time, pattern LIMIT 10000"""
PAIRS = f"""(SELECT finding_id, status, resources, arraySlice(arraySort(arrayDistinct(agents)), 1, 12) AS those,
    arrayJoin(arrayFlatten(arrayMap(i -> arrayMap(j -> (those[i], those[j]), range(i + 1, length(those) + 1)),
      range(1, length(those))))) AS pair
  FROM findings FINAL WHERE {FOUND} AND pattern IN ('thrashing', 'intent_conflict'))"""
EDGES = f"""
SELECT concat(pair.1, ' - ', pair.2) AS id, pair.1 AS source, pair.2 AS target,
  count() AS mainstat, countIf(status = 'open') AS secondarystat,
  least(1 + log2(count()), 8) AS thickness, if(countIf(status = 'open') > 0, 'red', 'orange') AS color,
  arrayStringConcat(arraySlice(arraySort(groupUniqArrayArray(resources)), 1, 5), ', ') AS detail__over
FROM {PAIRS} GROUP BY pair ORDER BY mainstat DESC, id LIMIT 100"""
NODES = f"""
SELECT id, id AS title, sum(n) AS mainstat, sum(o) AS secondarystat, if(sum(o) > 0, 'red', 'orange') AS color
FROM (SELECT pair, count() AS n, countIf(status = 'open') AS o FROM {PAIRS}
  GROUP BY pair ORDER BY n DESC, concat(pair.1, ' - ', pair.2) LIMIT 100)
ARRAY JOIN [pair.1, pair.2] AS id GROUP BY id ORDER BY id LIMIT 200"""
FIGHTS = f"""
SELECT arrayStringConcat(those, ' | ') AS "Agents", arrayStringConcat(resources, ', ') AS "Over",
  arrayStringConcat(parameters, ', ') AS "Knob",
  concat(toString(pattern), ' ', toString(kind)) AS "Pattern", count() AS "Episodes", countIf(status = 'open') AS "Open",
  toUInt32(sum(metrics['reversals'])) AS "Reversals", max(updated_at) AS "Last"
FROM (SELECT *, arraySort(arrayDistinct(agents)) AS those FROM findings FINAL
  WHERE {FOUND} AND pattern IN ('thrashing', 'intent_conflict'))
GROUP BY those, resources, parameters, pattern, kind ORDER BY "Open" DESC, "Episodes" DESC, "Agents", "Over", "Knob", "Pattern" LIMIT 100"""
LANES = f"""
SELECT $__timeInterval(time) AS time, concat(agent, ': ', resource, ' ', parameter) AS lane,
  argMax(multiIf(outcome IN ('failed', 'rejected'), 4, outcome = 'considered', 5,
    toFloat64OrNull(new) > toFloat64OrNull(old), 1, toFloat64OrNull(new) < toFloat64OrNull(old), 2, 3),
    (signals.time, source, signals.id)) AS move
FROM signals FINAL WHERE {ACTED} AND (agent, resource, parameter) IN (
  SELECT agent, resource, parameter FROM signals FINAL WHERE {ACTED} GROUP BY agent, resource, parameter
  ORDER BY count() DESC, agent, resource, parameter LIMIT 30)
GROUP BY time, lane ORDER BY time, lane LIMIT 20000"""
ACTIONS = f"""
SELECT time AS "Time", agent AS "Agent", concat(resource, ' ', parameter) AS "Knob", concat(old, ' -> ', new) AS "Change",
  toString(outcome) AS "Outcome", why AS "Why", id AS "Event"
FROM signals FINAL WHERE {ACTED} ORDER BY signals.time DESC, source DESC, signals.id DESC LIMIT 200"""
LATE = f"""
SELECT $__timeInterval(time) AS time, toString(domain) AS domain, toFloat64(uniqExactIf((source, id), late)) AS late
FROM signals WHERE $__timeFilter(time) AND {DOMAIN} GROUP BY time, domain ORDER BY time, domain LIMIT 10000"""
COVERAGE = f"""
SELECT agent AS "Agent", count() AS "Actions", countIf(has_old) / count() AS "With old", countIf(has_reads) / count() AS "With reads",
  countIf(length(causes) > 0) / count() AS "With causes"
FROM signals FINAL WHERE {ACTED} GROUP BY agent ORDER BY "Actions" DESC, agent LIMIT 100"""
LAG = f"""
SELECT $__timeInterval(time) AS time, quantileExact(0.5)(lag) AS p50, quantileExact(0.99)(lag) AS p99, max(lag) AS slowest
FROM (SELECT time, dateDiff('millisecond', time, stored_at) / 1000 AS lag FROM signals WHERE $__timeFilter(time) AND {DOMAIN})
GROUP BY time ORDER BY time LIMIT 5000"""
KNOWN = """
SELECT $__timeInterval(at) AS time, toString(partition) AS partition, max(dateDiff('millisecond', watermark, at)) / 1000 AS behind
FROM watermarks FINAL WHERE $__timeFilter(at) GROUP BY time, partition ORDER BY time, partition LIMIT 20000"""
DOMAINS = "SELECT DISTINCT toString(domain) AS domain FROM signals ORDER BY domain LIMIT 500"
AGENTS = """
SELECT DISTINCT toString(agent) AS agent FROM signals WHERE kind = 'action' AND $__timeFilter(time) ORDER BY agent LIMIT 500"""
