"""The repositories, as answers of GitHub's REST interface."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from aether_tui.demo.recording import Recordings
from aether_tui.demo.releases import Deployment, Job, Pull, Repositories, Run
from aether_tui.demo.world import SERVICES, iso

PER_PAGE = 100

T = TypeVar("T")


def _person(name: str) -> dict[str, object]:
    return {"login": name, "id": 1000 + int(name.rpartition("-")[2]), "type": "User"}


def _run(run: Run) -> dict[str, object]:
    return {
        "id": run.id, "name": run.workflow, "display_title": f"{run.workflow} on {run.branch}", "head_branch": run.branch,
        "head_sha": run.sha, "event": run.event, "status": "completed", "conclusion": run.conclusion, "run_number": run.id % 10_000,
        "run_attempt": run.attempt, "workflow_id": 1, "created_at": iso(run.created), "updated_at": iso(run.updated),
        "run_started_at": iso(run.started), "path": f".github/workflows/{run.workflow.lower().replace(' ', '-')}.yml",
    }  # fmt: skip


def _steps(run: Run, job: Job) -> list[dict[str, object]]:
    """Checkout, set-up, work, artifacts; every fifth run finds its cache out of date and saves one at the end."""
    miss = run.id % 5 == 0
    whole = int((job.completed - job.started).total_seconds())
    parts = [
        ("Set up job", 2),
        ("Run actions/checkout@v5", 3),
        ("Run actions/cache@v4", 4),
        ("Install dependencies", 38 if miss else 6),
    ]
    ends = [("Post Run actions/cache@v4", 9 if miss else 0)]
    if job.name in {"build", "integration"}:
        ends.insert(0, ("Upload artifacts", 12))
    rest = whole - sum(seconds for _, seconds in (*parts, *ends))
    if rest < 0:
        return []
    steps: list[dict[str, object]] = []
    at = job.started
    for name, seconds in (*parts, (f"Run {job.name}", rest), *ends):
        until = at + timedelta(seconds=seconds)
        ended = "success" if job.conclusion == "success" or name in dict(parts) else "skipped"
        steps.append({"name": name, "conclusion": ended, "started_at": iso(at), "completed_at": iso(until)})
        at = until
    return steps


def _job(run: Run, job: Job) -> dict[str, object]:
    return {
        "id": job.id, "run_id": run.id, "run_attempt": run.attempt, "name": job.name, "head_branch": run.branch, "head_sha": run.sha,
        "workflow_name": run.workflow, "status": "completed", "conclusion": job.conclusion, "created_at": iso(job.created),
        "started_at": iso(job.started), "completed_at": iso(job.completed), "labels": ["linux-4core"], "runner_name": "runner-4",
        "steps": _steps(run, job),
    }  # fmt: skip


def _pull(pull: Pull) -> dict[str, object]:
    return {
        "id": 90_000 + pull.number, "number": pull.number, "state": "closed" if pull.closed else "open", "title": pull.title,
        "draft": False, "created_at": iso(pull.created), "updated_at": iso(pull.updated),
        "closed_at": iso(pull.closed) if pull.closed else None, "merged_at": iso(pull.merged) if pull.merged else None,
        "merge_commit_sha": pull.sha if pull.merged else None, "user": _person(pull.author), "base": {"ref": "main"},
        "head": {"ref": pull.branch, "sha": pull.sha}, "labels": [{"name": label} for label in pull.labels],
    }  # fmt: skip


def _commits(pull: Pull) -> list[dict[str, object]]:
    return [
        {"sha": f"{index:02x}{pull.sha[2:]}", "commit": {
            "author": {"name": pull.author, "date": iso(at)}, "committer": {"name": pull.author, "date": iso(at)}, "message": pull.title,
        }, "author": _person(pull.author)}
        for index, at in enumerate(pull.commits)
    ]  # fmt: skip


def _reviews(pull: Pull) -> list[dict[str, object]]:
    if pull.reviewed is None:
        return []
    return [
        {
            "id": 70_000 + pull.number,
            "user": _person(pull.reviewer),
            "state": "APPROVED",
            "submitted_at": iso(pull.reviewed),
        }
    ]


def _deployment(one: Deployment) -> dict[str, object]:
    description = {"planned": "", "hotfix": "hotfix", "rollback": "rollback"}[one.reason]
    return {
        "id": one.id, "sha": one.sha, "ref": "main", "task": f"deploy:{one.reason}" if description else "deploy",
        "environment": one.environment, "description": description, "payload": {}, "creator": _person(one.creator),
        "created_at": iso(one.created), "updated_at": iso(one.finished),
    }  # fmt: skip


def _statuses(one: Deployment) -> list[dict[str, object]]:
    begun = one.created + timedelta(seconds=20)
    moments = ((1, one.result, one.finished), (0, "in_progress", begun))
    return [
        {
            "id": one.id * 10 + index,
            "state": state,
            "environment": one.environment,
            "created_at": iso(at),
            "updated_at": iso(at),
        }
        for index, state, at in moments
    ]


def _chunks(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + PER_PAGE] for start in range(0, len(items), PER_PAGE)] or [[]]


def write(story: Repositories, path: Path) -> None:
    """Lists newest first, as the service gives them, and the details of each entry."""
    recordings = Recordings()
    recordings.get("/user", {"login": "aether-demo"})
    for service in SERVICES:
        base = f"/repos/{service.repo}"
        _write_runs(recordings, base, [run for run in story.runs if run.repo == service.repo])
        pulls = sorted(
            (one for one in story.pulls if one.repo == service.repo), key=lambda one: one.updated, reverse=True
        )
        recordings.pages(f"{base}/pulls", [[_pull(one) for one in chunk] for chunk in _chunks(pulls)])
        for pull in pulls:
            recordings.get(f"{base}/pulls/{pull.number}/commits", _commits(pull))
            recordings.get(f"{base}/pulls/{pull.number}/reviews", _reviews(pull))
        rollouts = sorted(
            (one for one in story.deployments if one.repo == service.repo), key=lambda one: one.created, reverse=True
        )
        recordings.pages(f"{base}/deployments", [[_deployment(one) for one in chunk] for chunk in _chunks(rollouts)])
        for rollout in rollouts:
            recordings.get(f"{base}/deployments/{rollout.id}/statuses", _statuses(rollout))
    recordings.write(path)


def _write_runs(recordings: Recordings, base: str, runs: list[Run]) -> None:
    """The list shows the last attempt of each run; the jobs of all its attempts are asked for run by run."""
    attempts: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda one: (one.created, one.id, one.attempt), reverse=True):
        attempts.setdefault(run.id, []).append(run)
    shown = [known[0] for known in attempts.values()]
    pages = [{"total_count": len(shown), "workflow_runs": [_run(run) for run in chunk]} for chunk in _chunks(shown)]
    recordings.pages(f"{base}/actions/runs", pages)
    for number, known in attempts.items():
        jobs = [_job(run, job) for run in known for job in run.jobs]
        recordings.get(f"{base}/actions/runs/{number}/jobs", {"total_count": len(jobs), "jobs": jobs})
