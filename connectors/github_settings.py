"""What is read of GitHub: `[sources.github]`."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from connectors.http import ADDRESS, MOST_DAYS, HttpSettings


class GitHubSettings(HttpSettings):
    """`[sources.github]`. The token (fine-grained: read access to actions, deployments, pull requests) is the secret
    `token`."""

    url: str = Field(
        "https://api.github.com",
        pattern=ADDRESS,
        description="Address; Enterprise: https://HOST/api/v3; or replay:PATH",
    )
    repos: list[str] = Field(min_length=1, description="Repositories to read, owner/name")
    jobs: bool = Field(True, description="Read the jobs of every run (one request per run): queue times, re-runs")
    releases: str = Field(
        "", description="Environment a published release counts as a deployment to; empty: releases are not read"
    )
    artifacts: list[str] = Field(
        default_factory=list,
        description="Artifacts of runs with JUnit reports, by name or pattern; empty: none is read",
    )
    artifact_mb: int = Field(
        50, ge=1, le=2000, description="Larger artifacts are named and left", json_schema_extra={"unit": "MB"}
    )
    days_back: int = Field(
        90, ge=1, le=MOST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )

    @field_validator("repos")
    @classmethod
    def _named(cls, repos: list[str]) -> list[str]:
        for repo in repos:
            if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", repo):
                raise ValueError(f"{repo!r} is not owner/name")
        return repos
