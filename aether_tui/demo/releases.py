"""What happened in the repositories: pull requests, releases with their trouble, and CI runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from aether_tui.demo.words import title
from aether_tui.demo.world import DAYS, PEOPLE, SERVICES, Service, World, lognormal, office_hours, poisson, work_later

_BAD_CHANGE = (0.09, 0.22)
"""Share of releases that need a remedy: before, and within the last 28 days."""
_FAILED_ROLLOUT = 0.055


@dataclass(slots=True)
class Pull:
    """A pull request; `merged` and `closed` are None while it is open."""

    repo: str
    number: int
    title: str
    branch: str
    author: str
    reviewer: str
    commits: list[datetime]
    created: datetime
    reviewed: datetime | None
    merged: datetime | None
    closed: datetime | None
    sha: str
    labels: tuple[str, ...] = ()

    @property
    def updated(self) -> datetime:
        """Its last change."""
        return self.closed or self.reviewed or self.created


@dataclass(slots=True)
class Deployment:
    """A rollout; `result` is success or failure, `reason` planned, hotfix or rollback."""

    id: int
    repo: str
    service: str
    environment: str
    sha: str
    created: datetime
    finished: datetime
    result: str
    reason: str
    creator: str


@dataclass(slots=True)
class Job:
    """A job of a run; waited, then ran. Times are instants."""

    id: int
    name: str
    created: datetime
    started: datetime
    completed: datetime
    conclusion: str


@dataclass(slots=True)
class Run:
    """An attempt of a CI run."""

    id: int
    attempt: int
    repo: str
    workflow: str
    branch: str
    event: str
    sha: str
    created: datetime
    started: datetime
    updated: datetime
    conclusion: str
    jobs: list[Job] = field(default_factory=list)


@dataclass(slots=True)
class Trouble:
    """A release that hurt: becomes an incident in the tracker."""

    service: Service
    opened: datetime
    resolved: datetime
    severity: str
    cause: str


@dataclass(slots=True)
class Repositories:
    """Everything that happened, in no particular order."""

    pulls: list[Pull] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def happen(world: World) -> Repositories:
    """All repositories of the demonstration. Nothing in it is later than `world.today`."""
    story = Repositories()
    for service in SERVICES:
        rng = world.rng(f"releases:{service.name}")
        pulls = _pulls(world, rng, service)
        story.pulls += pulls
        _release(world, rng, service, pulls, story)
        _integrate(world, rng, pulls, story)
    _nightly(world, story)
    for number, deployment in enumerate(sorted(story.deployments, key=lambda one: (one.created, one.repo)), 1):
        deployment.id = 2_700_000_000 + number * 37
    ids: dict[tuple[str, int], int] = {}
    for run in sorted(story.runs, key=lambda one: (one.created, one.repo, one.id, one.attempt)):
        ids.setdefault((run.repo, run.id), 18_000_000_000 + 113 * (len(ids) + 1))
        run.id = ids[(run.repo, run.id)]
        for position, job in enumerate(run.jobs):
            job.id = run.id * 10 + position + 5 * (run.attempt - 1)
    return story


def _sha(rng: Random) -> str:
    return f"{rng.getrandbits(160):040x}"


def _pulls(world: World, rng: Random, service: Service) -> list[Pull]:
    pulls: list[Pull] = []
    prefix = {"Conversations": "CON", "Answers": "ANS", "Platform": "PLT"}[service.team]
    for day in world.workdays():
        for _ in range(poisson(rng, service.releases_per_workday * 1.25)):
            merged = office_hours(rng, day)
            created = merged - timedelta(days=lognormal(rng, 1.35 if world.ago(merged) > 45 else 1.0, 0.8))
            first = created - timedelta(days=lognormal(rng, 0.45, 0.9))
            reviewed = created + (merged - created) * rng.uniform(0.25, 0.9)
            author, reviewer = rng.sample(PEOPLE, 2)
            key = f"{prefix}-{rng.randint(1, 130)}"
            name = title(rng, rng.choice(("feature", "feature", "bug", "chore")))
            commits = sorted(first + (merged - first) * rng.random() * 0.9 for _ in range(poisson(rng, 1.2)))
            pulls.append(Pull(
                service.repo, 0, f"{key}: {name}", f"{key.lower()}-{name.split()[0].lower().strip(':')}", author, reviewer,
                [first, *commits], created, reviewed, merged, merged, _sha(rng),
                ("hostile [@click=app.quit]x[/]",) if rng.random() < 0.01 else (),
            ))  # fmt: skip
    for pull in rng.sample(pulls, max(2, len(pulls) // 20)):
        pull.merged = None
        if pull.closed and world.ago(pull.closed) < 12:
            pull.closed = None
    pulls.sort(key=lambda one: one.created)
    for number, pull in enumerate(pulls, 1):
        pull.number = 400 + number
    return pulls


def _release(world: World, rng: Random, service: Service, pulls: list[Pull], story: Repositories) -> None:
    """Rollouts of what was merged, and the remedies for those that hurt."""
    merged = sorted((pull for pull in pulls if pull.merged), key=lambda one: one.merged or world.today)
    busy_until = world.day(DAYS + 5)
    last_good = merged[0].sha
    for pull in merged:
        assert pull.merged
        at = work_later(rng, pull.merged, lognormal(rng, 0.9 if world.ago(pull.merged) > 45 else 0.3, 0.7))
        if at < busy_until or at > world.today - timedelta(minutes=30):
            continue
        newest = [one for one in merged if one.merged and one.merged <= at][-1]
        busy_until = at + timedelta(hours=2)
        if rng.random() < 0.4:
            _roll_out(
                rng,
                story,
                service,
                "staging",
                newest.sha,
                at - timedelta(minutes=rng.randint(35, 90)),
                "success",
                "planned",
            )
        failed = rng.random() < _FAILED_ROLLOUT
        _roll_out(rng, story, service, "production", newest.sha, at, "failure" if failed else "success", "planned")
        if failed:
            continue
        if rng.random() < _BAD_CHANGE[world.ago(at) < 28]:
            noticed = at + timedelta(minutes=rng.randint(9, 70))
            repaired = min(noticed + timedelta(hours=lognormal(rng, 1.7, 0.8)), world.today - timedelta(minutes=20))
            remedy = rng.choice(("hotfix", "hotfix", "rollback"))
            sha = last_good if remedy == "rollback" else _sha(rng)
            _roll_out(rng, story, service, "production", sha, repaired, "success", remedy)
            busy_until = repaired + timedelta(hours=1)
            if rng.random() < 0.65:
                cause = rng.choice(("answers fail", "tool calls time out", "replies are empty", "latency doubles"))
                severity = rng.choice(("sev2", "sev3", "sev3"))
                story.troubles.append(Trouble(service, noticed, repaired + timedelta(minutes=12), severity, cause))
        last_good = newest.sha


def _roll_out(
    rng: Random,
    story: Repositories,
    service: Service,
    environment: str,
    sha: str,
    at: datetime,
    result: str,
    reason: str,
) -> None:
    finished = at + timedelta(seconds=int(lognormal(rng, 260, 0.3)))
    story.deployments.append(
        Deployment(0, service.repo, service.name, environment, sha, at, finished, result, reason, rng.choice(PEOPLE))
    )


# Job, median seconds, spread. The integration job grows with its suite.
_CI_JOBS = (("lint", 74.0, 0.12), ("unit", 132.0, 0.1), ("integration", 575.0, 0.07), ("build", 168.0, 0.15))
_RELEASE_JOBS = (("build", 610.0, 0.1), ("canary", 870.0, 0.12), ("promote", 175.0, 0.2))
_EVALS_JOBS = (("evals", 2150.0, 0.12),)


def _integrate(world: World, rng: Random, pulls: list[Pull], story: Repositories) -> None:
    """CI of every pull request and of main, and the release workflow of every production rollout."""
    repo = pulls[0].repo
    for pull in pulls:
        pushes = [pull.created + timedelta(minutes=2), *(at for at in pull.commits if at > pull.created)]
        branch = pull.branch if rng.random() > 0.01 else "feature/\x1b[2J[@click=app.quit]x[/]\u202e"
        for at in pushes[:3]:
            _run(world, rng, story, repo, "CI", branch, "pull_request", _sha(rng), at, _CI_JOBS, (0.16, 0.05, 0.03))
        if pull.merged:
            _run(world, rng, story, repo, "CI", "main", "push", pull.sha, pull.merged, _CI_JOBS, (0.055, 0.01, 0.5))
    for rollout in story.deployments:
        if rollout.repo == repo and rollout.environment == "production":
            start = rollout.created - timedelta(seconds=1702)
            _run(
                world,
                rng,
                story,
                repo,
                "Release",
                "main",
                "workflow_dispatch",
                rollout.sha,
                start,
                _RELEASE_JOBS,
                (0.03, 0.0, 0.6),
                True,
            )


def _nightly(world: World, story: Repositories) -> None:
    rng = world.rng("nightly")
    for day in world.days():
        at = day + timedelta(hours=1, minutes=rng.randrange(4))
        _run(
            world,
            rng,
            story,
            "northwind/retrieval",
            "Nightly evals",
            "main",
            "schedule",
            _sha(rng),
            at,
            _EVALS_JOBS,
            (0.07, 0.01, 0.0),
        )


def _run(world: World, rng: Random, story: Repositories, repo: str, workflow: str, branch: str, event: str, sha: str, at: datetime,
         jobs: tuple[tuple[str, float, float], ...], odds: tuple[float, float, float], one_by_one: bool = False) -> None:  # fmt: skip
    """One run and, sometimes, its re-run. `odds`: failing, being cancelled, and being run again after a failure."""
    fail, cancel, again = odds
    draw = rng.random()
    conclusion = "failure" if draw < fail else "cancelled" if draw < fail + cancel else "success"
    at = at.replace(microsecond=0)
    if at > world.today - timedelta(hours=2):
        return
    number = len(story.runs)
    run = _attempt(
        world, rng, Run(number, 1, repo, workflow, branch, event, sha, at, at, at, conclusion), jobs, one_by_one
    )
    story.runs.append(run)
    if conclusion == "failure" and rng.random() < again:
        later = run.updated + timedelta(minutes=rng.randint(3, 25))
        story.runs.append(
            _attempt(
                world,
                rng,
                Run(number, 2, repo, workflow, branch, event, sha, at, later, later, "success"),
                jobs,
                one_by_one,
            )
        )


def _attempt(world: World, rng: Random, run: Run, jobs: tuple[tuple[str, float, float], ...], one_by_one: bool) -> Run:
    """`run` with its jobs: they wait for a runner, then run beside or after each other."""
    free = run.started
    failing = rng.randrange(len(jobs)) if run.conclusion == "failure" else -1
    for index, (name, median, spread) in enumerate(jobs):
        if name == "integration":
            median += 75.0 * (1 - min(1.0, world.ago(run.created) / DAYS))
        waited = timedelta(seconds=int(lognormal(rng, 9, 0.9)))
        took = timedelta(seconds=int(lognormal(rng, median, spread) * (0.4 if run.conclusion == "cancelled" else 1.0)))
        started = free + waited
        conclusion = "failure" if index == failing else "cancelled" if run.conclusion == "cancelled" else "success"
        run.jobs.append(Job(0, name, free, started, started + took, conclusion))
        run.updated = max(run.updated, started + took)
        if one_by_one:
            free = started + took
            if conclusion == "failure":
                break
    return run
