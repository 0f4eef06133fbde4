"""Every record table. `source` and `ingested_at` are added to each row when it is stored.

Names of raw columns keep the source's own word (`source_type`, `state`); derived columns carry ours (`type`, `category`).
"""

from __future__ import annotations

from typing import Final

from aether_tui.records.model import MOST_MONEY, Column, Kind, Table
from aether_tui.records.never_stored import NEVER_STORED


def _c(name: str, kind: Kind, meaning: str, unit: str = "", most: int = 0, never: tuple[str, ...] = ()) -> Column:
    return Column(name, kind, meaning, unit, most=most, never=never)


MOST_TOKENS: Final = 10**9
"""Tokens of one kind that one call can have; what says more is no count, and sums of days could not hold it."""
MOST_MESSAGE: Final = 2_000
"""Characters kept of the message of a failed test."""
MOST_WORD: Final = 256
"""Characters kept of one attribute of a span."""
MOST_REQUEST: Final = 2_000
"""Characters looked at, and kept, of what a person asked."""


def _d(name: str, kind: Kind, meaning: str, unit: str = "") -> Column:
    return Column(name, kind, meaning, unit, derived=True)


WORK_ITEMS = Table(
    "work_items",
    "Issues, ideas and incidents of a tracker, as they are now",
    (
        _c("id", "id", "The tracker's permanent id (a key may change, the id does not)"),
        _c("key", "text", "What people call it, such as ENG-42"),
        _c("title", "text", "Title"),
        _c("source_type", "text", "The tracker's own type name (Bug, Story, …)"),
        _c("state", "text", "The tracker's own state name"),
        _c("state_type", "text", "The tracker's own class of that state (Linear type, Jira status category key)"),
        _c("created", "time", "When it was created"),
        _c("started", "time", "When the tracker says work started; null where it does not say"),
        _c("completed", "time", "When the tracker says it was completed"),
        _c("cancelled", "time", "When the tracker says it was cancelled"),
        _c("updated", "time", "Last change of anything"),
        _c("priority", "text", "The tracker's own priority"),
        _c("estimate", "float", "Size estimate", "points"),
        _c("project", "text", "Project or initiative"),
        _c("source_team", "text", "The tracker's own team or board"),
        _c("assignee", "person", "Who works on it"),
        _c("labels", "texts", "Labels"),
        _c("parent", "id", "Id of the parent item"),
        _c("url", "text", "Address for people"),
        _d("type", "text", "bug, feature, incident, opportunity, chore or other, by mapping"),
        _d("category", "text", "backlog, queue, active, wait, done or cancelled, by mapping; null where unmapped"),
        _d("phase", "text", "One of the seven lifecycle phases, by mapping"),
        _d("team", "text", "Team, by mapping"),
        _d("feature", "text", "Feature, by mapping"),
    ),
    key=("id",),
    at="created",
    revision="updated",
)

WORK_TRANSITIONS = Table(
    "work_transitions",
    "Every change of state of a work item",
    (
        _c("item_id", "id", "Id of the work item"),
        _c("at", "time", "When the state changed"),
        _c("to_state", "text", "State entered"),
        _c("to_type", "text", "The tracker's own class of the state entered"),
        _c("from_state", "text", "State left; null for the first"),
        _c("from_type", "text", "The tracker's own class of the state left"),
        _c("actor", "person", "Who moved it"),
        _c("source_team", "text", "The tracker's own team or board of the item, for team-specific state mappings"),
        _d("to_category", "text", "Category of the state entered, by mapping"),
        _d("from_category", "text", "Category of the state left, by mapping"),
        _d("to_phase", "text", "Lifecycle phase of the state entered, by mapping"),
    ),
    key=("item_id", "at", "to_state"),
    at="at",
    of=(("work_items", "item_id"),),
)

ITERATIONS = Table(
    "iterations",
    "Cycles and sprints: a team's fixed periods of work",
    (
        _c("id", "id", "The tracker's id"),
        _c("name", "text", "Name or number"),
        _c("source_team", "text", "The tracker's own team or board"),
        _c("state", "text", "The tracker's own state; null where the dates say it"),
        _c("start", "time", "Planned start"),
        _c("end", "time", "Planned end"),
        _c("completed", "time", "When it was closed; null while it runs"),
        _c(
            "items_start",
            "int",
            "Items in it at the end of its first day; null where the tracker does not say",
            "items",
        ),
        _c("items_end", "int", "Items in it at its end, or now", "items"),
        _c("items_done", "int", "Items of it done at its end, or now", "items"),
        _c("scope_start", "float", "Estimates in it at the end of its first day", "points"),
        _c("scope_end", "float", "Estimates in it at its end, or now", "points"),
        _c("scope_done", "float", "Estimates of it done at its end, or now", "points"),
        _c("updated", "time", "Last change"),
    ),
    key=("id",),
    at="start",
    revision="updated",
)

ITERATION_ITEMS = Table(
    "iteration_items",
    "Which work items were in which cycle or sprint, and when",
    (
        _c("iteration_id", "id", "Id of the iteration"),
        _c("item_id", "id", "Id of the work item"),
        _c("added", "time", "When it came in; null where the tracker does not say"),
        _c("removed", "time", "When it was taken out; null while it is in"),
        _c("updated", "time", "Last change of the item"),
    ),
    key=("iteration_id", "item_id"),
    at="added",
    revision="updated",
    of=(("work_items", "item_id"), ("iterations", "iteration_id")),
)

PROJECTS = Table(
    "projects",
    "Projects and initiatives: what work items add up to",
    (
        _c("id", "id", "The tracker's id"),
        _c("kind", "text", "project or initiative"),
        _c("name", "text", "Name"),
        _c("state", "text", "The tracker's own state"),
        _c("health", "text", "on track, at risk or off track, as last said; null where nobody said"),
        _c("parents", "texts", "Ids of the initiatives it belongs to"),
        _c("created", "time", "When it was created"),
        _c("started", "time", "When work started"),
        _c("target", "time", "Day it should be done"),
        _c("completed", "time", "When it was completed"),
        _c("cancelled", "time", "When it was given up"),
        _c("updated", "time", "Last change"),
        _c("url", "text", "Address for people"),
    ),
    key=("id",),
    at="created",
    revision="updated",
)

WORK_LINKS = Table(
    "work_links",
    "How work items hang together: what blocks, duplicates or belongs to what, and which customer needs ask for it",
    (
        _c("id", "id", "The tracker's id of the link or need"),
        _c("from_id", "id", "Id of the work item it starts from; null for a customer need"),
        _c("to_id", "id", "Id of the work item or project it leads to"),
        _c("kind", "text", "blocks, duplicates, relates, need, or the tracker's own word"),
        _c("customer", "id", "The tracker's id of the customer who has the need"),
        _c("weight", "float", "Importance of the need as the tracker has it"),
        _c("at", "time", "When it was made"),
        _c("updated", "time", "Last change"),
    ),
    key=("id",),
    at="at",
    revision="updated",
    of=(("work_items", "from_id"), ("work_items", "to_id")),
)

PULL_REQUESTS = Table(
    "pull_requests",
    "Pull and merge requests",
    (
        _c("repo", "text", "Repository, owner/name"),
        _c("number", "int", "Number within the repository"),
        _c("state", "text", "open, closed or merged"),
        _c("created", "time", "Opened"),
        _c("first_commit", "time", "Author date of the earliest commit"),
        _c("first_review", "time", "First review by somebody else"),
        _c("merged", "time", "Merged"),
        _c("closed", "time", "Closed, merged or not"),
        _c("updated", "time", "Last change"),
        _c("merge_sha", "id", "Commit that the merge made"),
        _c("base_branch", "text", "Branch it merges into"),
        _c("author", "person", "Who opened it"),
        _c("additions", "int", "Lines added", "lines"),
        _c("deletions", "int", "Lines deleted", "lines"),
        _c("labels", "texts", "Labels"),
        _c("item_keys", "texts", "Keys of work items named in branch or title"),
        _d("team", "text", "Team, by mapping"),
        _d("service", "text", "Service, by mapping"),
    ),
    key=("repo", "number"),
    at="created",
    revision="updated",
    named_by=2,
)

DEPLOYMENTS = Table(
    "deployments",
    "Deployments to an environment",
    (
        _c("id", "id", "The host's id"),
        _c("repo", "text", "Repository, owner/name"),
        _c("source_environment", "text", "The host's own environment name"),
        _c("sha", "id", "Commit deployed"),
        _c("started", "time", "Created or started"),
        _c("finished", "time", "When the final status was reported"),
        _c("updated", "time", "Last change"),
        _c("result", "text", "success, failure, running or unknown"),
        _c("reason", "text", "planned, hotfix, rollback or unknown"),
        _d("service", "text", "Service, by mapping"),
        _d("environment", "text", "production, staging, dev or other, by mapping"),
        _d("team", "text", "Team, by mapping"),
    ),
    key=("id",),
    at="started",
    revision="updated",
)

PIPELINE_RUNS = Table(
    "pipeline_runs",
    "Runs of a CI pipeline or workflow; a re-run is an attempt",
    (
        _c("id", "id", "The host's run id"),
        _c("attempt", "int", "1 for the first run"),
        _c("repo", "text", "Repository, owner/name"),
        _c("workflow", "text", "Workflow or pipeline name"),
        _c("branch", "text", "Branch or ref"),
        _c("event", "text", "What started it"),
        _c("sha", "id", "Commit"),
        _c("created", "time", "Requested"),
        _c("started", "time", "This attempt started"),
        _c("finished", "time", "This attempt finished; null while it runs"),
        _c("updated", "time", "Last change"),
        _c("queue_s", "float", "Requested to started; null where the source does not say", "s"),
        _c("run_s", "float", "Started to finished", "s"),
        _c("wall_s", "float", "Requested to finished (first attempt), started to finished (re-run)", "s"),
        _c("result", "text", "success, failure, timed_out, cancelled, skipped, running or other"),
        _c("runner", "text", "Runner label"),
        _d("service", "text", "Service, by mapping"),
        _d("team", "text", "Team, by mapping"),
    ),
    key=("id", "attempt"),
    at="created",
    revision="updated",
)

PIPELINE_JOBS = Table(
    "pipeline_jobs",
    "Jobs of a CI run",
    (
        _c("id", "id", "The host's job id"),
        _c("attempt", "int", "Attempt of the run it belongs to"),
        _c("run_id", "id", "Run"),
        _c("repo", "text", "Repository, owner/name"),
        _c("name", "text", "Job name"),
        _c("created", "time", "Queued; null in old payloads"),
        _c("started", "time", "Started"),
        _c("finished", "time", "Finished"),
        _c("queue_s", "float", "Queued to started", "s"),
        _c("run_s", "float", "Started to finished", "s"),
        _c("result", "text", "success, failure, timed_out, cancelled, skipped, running or other"),
        _c("runner", "text", "Runner label"),
        _c("prepare_s", "float", "Steps that check out, set up, restore and install; null where no step says", "s"),
        _c("cache_saved", "bool", "Whether a cache was saved at the end: the restored one was not exact"),
        _c("artifact_s", "float", "Steps that move artifacts", "s"),
        _c("artifact_bytes", "int", "Artifacts it keeps", "bytes"),
    ),
    key=("id", "attempt"),
    at="started",
    of=(("pipeline_runs", "run_id"),),
)

TEST_RUNS = Table(
    "test_runs",
    "One execution of a test suite",
    (
        _c("id", "id", "Content hash of the report and its suite, or the CI artifact's id"),
        _c("suite", "text", "unit, integration, … from the file's or the suite's name"),
        _c("repo", "text", "Repository, owner/name"),
        _c("branch", "text", "Branch"),
        _c("sha", "id", "Commit"),
        _c("started", "time", "When it ran: the report's time stamp, else the file's time"),
        _c("duration_s", "float", "Sum of its cases", "s"),
        _c("suite_time_s", "float", "What the suite itself claims", "s"),
        _c("tests", "int", "Cases counted", "cases"),
        _c("passed", "int", "Cases passed", "cases"),
        _c("failed", "int", "Cases failed", "cases"),
        _c("errors", "int", "Cases in error", "cases"),
        _c("skipped", "int", "Cases skipped", "cases"),
        _c("flaky", "int", "Cases that failed and passed", "cases"),
        _c("partial", "bool", "The report was cut short or repaired"),
        _c("file", "text", "Report file name"),
    ),
    key=("id",),
    at="started",
)

TEST_CASES = Table(
    "test_cases",
    "One case of a test run",
    (
        _c("run_id", "id", "Test run"),
        _c("case_key", "text", "classname, name and file, joined"),
        _c("ordinal", "int", "0, or the position among equal keys"),
        _c("started", "time", "As the run"),
        _c("name", "text", "Case name"),
        _c("classname", "text", "Class or module"),
        _c("duration_s", "float", "Duration; null where not said", "s"),
        _c("result", "text", "passed, failed, error or skipped"),
        _c("flaky", "bool", "Failed and passed in one run"),
        _c("file", "text", "Source file of the case"),
        _c("package", "text", "Of a monorepo: the suite named like one, else the folder of its report; null elsewhere"),
        _c("message", "text", f"Failure message, first {MOST_MESSAGE:,} characters", most=MOST_MESSAGE),
    ),
    key=("run_id", "case_key", "ordinal"),
    at="started",
    of=(("test_runs", "run_id"),),
)

COSTS = Table(
    "costs",
    "Charges of cloud and model providers, in FOCUS terms",
    (
        _c("row_hash", "id", "Hash of the source row and its ordinal among identical rows"),
        _c("charge_start", "time", "Start of the charge period"),
        _c("charge_end", "time", "End of the charge period, exclusive"),
        _c("billing_start", "time", "Start of the billing period"),
        _c("billing_end", "time", "End of the billing period, exclusive"),
        _c("billed_cost", "money", "As invoiced", "currency"),
        _c("effective_cost", "money", "Amortised", "currency"),
        _c("list_cost", "money", "At list price", "currency"),
        _c("contracted_cost", "money", "At contracted price", "currency"),
        _c("currency", "text", "ISO 4217 billing currency"),
        _c("charge_category", "text", "Usage, Purchase, Tax, Credit or Adjustment"),
        _c("charge_class", "text", "Correction, or null"),
        _c("provider", "text", "Who sells it"),
        _c("source_service", "text", "The provider's service name"),
        _c("service_category", "text", "FOCUS service category"),
        _c("region", "text", "Region"),
        _c("account", "text", "Sub-account, else billing account"),
        _c("resource", "text", "Resource id"),
        _c("tags", "json", "Tags, and vendor columns (x_…) of FOCUS, as a JSON object of text"),
        _c("estimated", "bool", "AWS Cost Explorer: the bill may still change; null for exports"),
        _d("environment", "text", "production, staging, dev or other, by mapping of tags"),
        _d("service", "text", "Service, by mapping"),
        _d("team", "text", "Team, by mapping of tags"),
        _d("feature", "text", "Feature, by mapping of tags"),
    ),
    key=("row_hash",),
    at="charge_start",
)

COST_ESTIMATES = Table(
    "cost_estimates",
    "Monthly cost estimates of infrastructure code (Infracost)",
    (
        _c("project", "text", "Project name or path"),
        _c("at", "time", "When the estimate was made"),
        _c("past_monthly_cost", "money", "Before the change; null for a new project", "currency/month"),
        _c("monthly_cost", "money", "After the change", "currency/month"),
        _c("diff_monthly_cost", "money", "Difference", "currency/month"),
        _c("currency", "text", "ISO 4217"),
        _c("resources", "int", "Resources priced", "resources"),
        _c("unsupported", "int", "Resources of kinds that are not supported", "resources"),
        _c("unpriced", "int", "Resources without a price", "resources"),
        _c("errors", "texts", "Errors of the project: the estimate is incomplete"),
        _d("environment", "text", "production, staging, dev or other, by mapping of the project name"),
    ),
    key=("project", "at"),
    at="at",
)

SPANS = Table(
    "spans",
    "Spans of traces of AI systems",
    (
        _c("trace_id", "id", "Trace, lower-case hex"),
        _c("span_id", "id", "Span, lower-case hex"),
        _c("parent_id", "id", "Parent span; null for a root"),
        _c("name", "text", "Span name"),
        _c("operation", "text", "chat, embeddings, execute_tool, invoke_agent, retrieval, … or null"),
        _c("start", "time", "Start"),
        _c("duration_s", "float", "End minus start", "s"),
        _c("time_to_first_token_s", "float", "Start to first token", "s"),
        _c("provider", "text", "Model provider"),
        _c("model", "text", "Model that answered, else the one asked for"),
        _c("input_tokens", "int", "All input tokens, cached ones included", "tokens", MOST_TOKENS),
        _c("output_tokens", "int", "All output tokens, reasoning ones included", "tokens", MOST_TOKENS),
        _c("cached_tokens", "int", "Input tokens read from a cache", "tokens", MOST_TOKENS),
        _c("cache_write_tokens", "int", "Input tokens written to a cache", "tokens", MOST_TOKENS),
        _c("reasoning_tokens", "int", "Output tokens spent on reasoning", "tokens", MOST_TOKENS),
        _c("reported_cost_usd", "money", "Cost as the source states it", "USD", MOST_MONEY),
        _c("status", "text", "ok, error or unset"),
        _c("error_type", "text", "error.type"),
        _c("conversation", "id", "Conversation or session"),
        _c("user", "person", "End user"),
        _c("source_service", "text", "service.name"),
        _c("source_environment", "text", "deployment.environment.name"),
        _c("request_hash", "id", "Hash of the request's input, to find repeats"),
        _c(
            "request",
            "request",
            "Category of what was asked, margin, sure, unsure or far, and the taxonomy version: never the text",
        ),
        _c("prompt_name", "text", "Prompt template"),
        _c("prompt_version", "text", "Version of the prompt template"),
        _c(
            "attributes",
            "json",
            f"Other attributes, content left out, each cut at {MOST_WORD} characters",
            most=MOST_WORD,
            never=NEVER_STORED,
        ),
        _d("cost_usd", "money", "Reported, else from the price table; null when unpriced", "USD"),
        _d("cost_status", "text", "reported, priced, unpriced, or null for spans that cost nothing by nature"),
        _d("price_version", "text", "Version of the price table used"),
        _d("environment", "text", "production, staging, dev or other, by mapping"),
        _d("service", "text", "Service, by mapping"),
        _d("feature", "text", "Feature, by mapping"),
        _d("team", "text", "Team, by mapping"),
        _d("scenario", "text", "Test or traffic scenario, by mapping"),
        _d("task_cluster", "text", "Request category, by mapping, else by the taxonomy"),
        _d("outcome", "text", "success or failure, by mapping; null without a signal"),
    ),
    key=("trace_id", "span_id"),
    at="start",
)

SPAN_PAYLOADS = Table(
    "span_payloads",
    "What was said to and by models: kept only with `[privacy] keep_payloads = true`",
    (
        _c("trace_id", "id", "Trace, lower-case hex"),
        _c("span_id", "id", "Span, lower-case hex"),
        _c("start", "time", "As the span"),
        _c(
            "prompt",
            "asked",
            "Input, redacted: messages and settings as an OpenAI request (JSON, 100,000 characters), else text (10,000)",
        ),
        _c("completion", "said", "Output, redacted, first 10,000 characters"),
        _d("redactions", "json", "What was taken out of both, as a JSON object of kind and count"),
    ),
    key=("trace_id", "span_id"),
    at="start",
)

OUTCOMES = Table(
    "outcomes",
    "Scores of tasks: feedback of users, annotations, evaluations",
    (
        _c("id", "id", "The source's id of the score"),
        _c("name", "text", "What was scored, such as user-feedback"),
        _c("at", "time", "When it was scored"),
        _c("value", "text", "A number, true or false, or a word", most=MOST_WORD),
        _c("kind", "text", "Where it comes from, in the source's word: API, ANNOTATION or EVAL"),
        _c("trace_id", "id", "Trace it is about, lower-case hex; null where it is about a session or an experiment"),
        _c("span_id", "id", "Span of that trace, where one was scored"),
        _c("conversation", "id", "Session it is about, where a whole one was scored"),
        _c("updated", "time", "Last change"),
        _d("outcome", "text", "success or failure, by [mapping.scores]; null where the name is not mapped"),
    ),
    key=("id",),
    at="at",
    revision="updated",
)

PRODUCT_METRICS = Table(
    "product_metrics",
    "Daily product metrics (active users, events, …)",
    (
        _c("metric", "text", "Metric name, such as active_users or event:Answer Accepted"),
        _c("segment", "text", "Segment label; empty for all"),
        _c("day", "time", "Day in the project's own time zone, as midnight"),
        _c("zone", "text", "That time zone, where known"),
        _c("value", "float", "Value"),
        _c("unit", "text", "users, events or ratio"),
        _c("incomplete", "bool", "The period was not over when it was read"),
        _c("updated", "time", "When this value was read first"),
    ),
    key=("metric", "segment", "day"),
    at="day",
    revision="updated",
    read="updated",
)

REQUESTS = Table(
    "requests",
    "Redacted texts of requests, kept for 14 days at most, to find categories in",
    (
        _c("id", "person", "Keyed hash of the text: a text is kept once"),
        _c("at", "time", "When it was first kept"),
        _c("text", "text", "What was asked, redacted", most=MOST_REQUEST),
        _c(
            "stratum",
            "text",
            "Feature, segment or channel it was asked in; null where nobody says. Samples are drawn by it",
        ),
    ),
    key=("id",),
    at="at",
    read="at",
)

REPLAYS = Table(
    "replays",
    "Recorded requests that were sent to a model again, and what came back",
    (
        _c("id", "id", "Run, span, model and repeat, hashed"),
        _c("run", "id", "The command that sent it: its instant and seed"),
        _c("at", "time", "When it was sent"),
        _c("trace_id", "id", "Trace of the recorded request"),
        _c("span_id", "id", "Span of the recorded request"),
        _c("repeat", "int", "1 for the first"),
        _c("model", "text", "Model it was sent to"),
        _c("recorded_model", "text", "Model that answered when it was recorded"),
        _c("prompt_version", "text", "File and hash of the prompt that replaced the recorded one; null: as recorded"),
        _c("same_input", "bool", "Messages and settings as recorded, nothing redacted or replaced"),
        _c("status", "text", "ok, or error"),
        _c("error", "text", "What the endpoint said instead of answering"),
        _c("finish", "text", "Why the answer ended, in the endpoint's word"),
        _c("input_tokens", "int", "As the endpoint counts them; null where it does not", "tokens"),
        _c("output_tokens", "int", "As the endpoint counts them; null where it does not", "tokens"),
        _c("cost_usd", "money", "From the price table; null without token counts", "USD"),
        _c("latency_s", "float", "Asking to the last byte", "s"),
        _c(
            "output",
            "said",
            "The answer, redacted, first 10,000 characters; only with `[privacy] keep_payloads = true`",
        ),
        _c("likeness", "float", "Words in common with the recorded answer, in order, over all words (0–1)", "ratio"),
        _c("recorded_input_tokens", "int", "Of the recorded call", "tokens"),
        _c("recorded_output_tokens", "int", "Of the recorded call", "tokens"),
        _c("recorded_cost_usd", "money", "Of the recorded call", "USD"),
        _c("recorded_latency_s", "float", "Of the recorded call", "s"),
    ),
    key=("id",),
    at="at",
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        WORK_ITEMS, WORK_TRANSITIONS, ITERATIONS, ITERATION_ITEMS, PROJECTS, WORK_LINKS, PULL_REQUESTS, DEPLOYMENTS,
        PIPELINE_RUNS, PIPELINE_JOBS, TEST_RUNS, TEST_CASES, COSTS, COST_ESTIMATES, SPANS, SPAN_PAYLOADS, OUTCOMES, PRODUCT_METRICS,
        REQUESTS, REPLAYS,
    )
}  # fmt: skip
"""All record tables by name."""
