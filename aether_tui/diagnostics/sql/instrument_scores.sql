-- Names of scores in the window: how many say how a task ended, and what their values look like.
SELECT name, count(*) AS n, count(outcome) AS counted, count(*) FILTER (WHERE outcome = 'failure') AS failed,
  count(TRY_CAST(value AS DOUBLE)) AS numbers, min(TRY_CAST(value AS DOUBLE)) AS least, max(TRY_CAST(value AS DOUBLE)) AS most,
  array_to_string(list_sort(list(DISTINCT left(value, 40)) FILTER (WHERE TRY_CAST(value AS DOUBLE) IS NULL))[:4], ', ') AS words
FROM outcomes
WHERE "at" >= $since AND "at" < $until
GROUP BY name
ORDER BY n DESC, name
LIMIT 20
