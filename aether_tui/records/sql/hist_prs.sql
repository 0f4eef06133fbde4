-- First commit (else opening) to merge of pull requests, by repository.
SELECT {day(merged)} AS day, 'pr_lead_time' AS kind, repo AS segment,
    {log_bucket({seconds(coalesce(first_commit, created), merged)})} AS bucket, count(*) AS n
FROM {pull_requests}
WHERE merged IS NOT NULL AND coalesce(first_commit, created) <= merged
GROUP BY 1, 2, 3, 4
