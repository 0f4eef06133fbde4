-- Every counted product event: the last day it happened, how often in the window, and the last day any event was counted at all.
-- Events that no query counts are taken from exports, whose counts by upload hour add up.
WITH counted AS (
  SELECT substr(metric, 7) AS name, day, value
  FROM product_metrics
  WHERE starts_with(metric, 'event:') AND coalesce(segment, '') = '' AND NOT coalesce(incomplete, FALSE) AND day < $until
    AND value IS NOT NULL
), events AS (
  SELECT name, day, value FROM counted
  UNION ALL
  SELECT substr(metric, 10) AS name, day, sum(value) AS value
  FROM product_metrics
  WHERE starts_with(metric, 'exported:') AND day < $until AND substr(metric, 10) NOT IN (SELECT name FROM counted)
  GROUP BY 1, 2
)
SELECT name, max(day) FILTER (WHERE value > 0) AS last_seen, sum(value ORDER BY value) FILTER (WHERE day >= $since) AS seen,
  (SELECT max(day) FROM events) AS known_until
FROM events
GROUP BY name
ORDER BY name
