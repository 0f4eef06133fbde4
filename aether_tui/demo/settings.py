"""The configuration of the demonstration's workspace."""

from __future__ import annotations

from aether_tui.demo.amplitude import EVENTS
from aether_tui.demo.world import SERVICES, TEAMS, World

_TEXT = """\
# A demonstration engagement, made by `aether-tui demo` for {day:%Y-%m-%d} (UTC) and not a real company.
# Its sources are recorded answers under recordings/ and files under files/; `aether-tui sync` and
# `aether-tui load files` read them the way they read real ones. Rebuild it with `aether-tui demo --force`.

[engagement]
name = "Northwind Assist"
client = "Northwind"
currency = "USD"

[sources.linear]
url = "replay:recordings/linear.jsonl"

[sources.jira]
url = "replay:recordings/jira.jsonl"
projects = ["SUP"]

[sources.github]
url = "replay:recordings/github.jsonl"
repos = [{repos}]
days_back = 130

[sources.amplitude]
url = "replay:recordings/amplitude.jsonl"
events = [{events}]
timezone = "UTC"

[privacy]
keep_payloads = true            # the words are made up; those of real customers are dropped unless you say so

[replay]
url = "http://127.0.0.1:11434/v1"   # a model of your own; nothing is sent unless somebody agrees to the cost

[wip]
action = "stop the newest one until another is finished"
initiatives = 4
per_initiative = 9

[scorecard.outcomes]
"active_users" = "retention"
"new_users" = "adoption"
"event:Answer Accepted" = "activation"

[[scorecard.leading]]
metric = "event:Answer Accepted"
leads = "active_users"
lag_days = 14
evidence = "agreed with support and product, INT-1; not tested yet"

[mapping.states]
"Validating" = "active"
"In Review" = "wait"
"Blocked" = "wait"
"Ready to release" = "wait"
"Waiting for vendor" = "wait"
"Measuring" = "done"

[mapping.phases]
"Triage" = "ideation"
"Backlog" = "ideation"
"Validating" = "validation"
"Todo" = "specification"
"To Do" = "specification"
"In Progress" = "build"
"In Review" = "build"
"Blocked" = "build"
"Waiting for vendor" = "build"
"Ready to release" = "release"
"Measuring" = "measure"
"Done" = "learn"

[mapping.teams]
{teams}

[mapping.services]
{services}

[mapping.features]
"Refund agent" = "refunds"
"Agent desk 2.0" = "handover"
"Product answers" = "product-questions"
"Retrieval quality" = "policies"
"""


def aether_toml(world: World) -> str:
    """`aether.toml`: four recorded sources and the mapping of their words."""
    teams = [f'"{key}" = "{name}"' for key, name in TEAMS.items()]
    teams += ['"SUP" = "Support operations"', *(f'"{service.repo}" = "{service.team}"' for service in SERVICES)]
    return _TEXT.format(
        day=world.today,
        repos=", ".join(f'"{service.repo}"' for service in SERVICES),
        events=", ".join(f'"{event}"' for event in EVENTS),
        teams="\n".join(teams),
        services="\n".join(f'"{service.repo}" = "{service.name}"' for service in SERVICES),
    )
