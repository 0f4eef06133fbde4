-- How many inputs are kept in the window, and how many of them hold something redacted or cut.
SELECT count(*) AS kept, count(*) FILTER (WHERE regexp_matches(prompt, '\[[a-z_]+:[0-9a-f]{8}\]')) AS changed
FROM span_payloads WHERE prompt IS NOT NULL AND start >= $since AND start < $until
