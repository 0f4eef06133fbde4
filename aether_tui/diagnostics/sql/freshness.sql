SELECT source, stream, last_attempt, last_success, last_error, "rows", cursor
FROM sync_state
ORDER BY source, stream
