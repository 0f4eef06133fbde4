-- Test cases that failed and passed on the same code in the window, the most often flaky first.
SELECT min(source) AS source, case_key AS id, min(name) AS name, coalesce(min(classname), '') AS title, CAST(count(*) AS DOUBLE) AS value,
  max(started) AS "at", min(file) AS file, max(message) AS message, count(*) OVER () AS of
FROM test_cases
WHERE flaky AND started >= $since AND started < $until
GROUP BY case_key
ORDER BY value DESC, id
LIMIT 60
