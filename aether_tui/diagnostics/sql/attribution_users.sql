-- Users by tenths of their cost, dearest first; calls without a user stand apart. Whole days.
WITH each_user AS (
  SELECT "user", sum(calls) AS calls, sum(cost_usd) AS cost_usd
  FROM users_daily
  WHERE day >= date_trunc('day', $since::TIMESTAMP) AND day < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
  GROUP BY 1
), ranked AS (
  SELECT *, CASE WHEN "user" IS NULL THEN NULL
    ELSE ntile(10) OVER (PARTITION BY "user" IS NULL ORDER BY coalesce(cost_usd, 0) DESC, "user") END AS tenth
  FROM each_user
)
SELECT tenth, count(*) AS users, sum(calls) AS calls, sum(cost_usd) AS cost_usd
FROM ranked
GROUP BY 1
ORDER BY 1
