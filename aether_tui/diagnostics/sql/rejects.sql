SELECT source, stream, reason, count(*) AS n, max("at") AS latest, arg_max(place, "at") AS place, arg_max(raw, "at") AS raw
FROM rejects
GROUP BY source, stream, reason
ORDER BY n DESC, source, stream, reason
LIMIT 50
