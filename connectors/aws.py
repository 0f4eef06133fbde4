"""Daily or hourly costs from AWS Cost Explorer. Every request is billed by AWS: it is asked for first, and seldom made."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal, Protocol, cast
from urllib.parse import urlsplit

from pydantic import Field

from aether_tui.records.tables import COSTS
from connectors.answers import LATER, Again, Answer, Classify, Verdict, classify, listed
from connectors.aws_rows import cost_rows
from connectors.aws_sign import Keys, signed
from connectors.base import (
    Access,
    Denied,
    Forbidden,
    Malformed,
    Network,
    Offline,
    Page,
    Price,
    RateLimited,
    Refused,
    Replace,
    Stream,
)
from connectors.fields import Node, integer, objects, text
from connectors.http import ADDRESS, Http, HttpSettings
from connectors.paging import PageGuard

BILLS = Stream("costs", (COSTS,), overlap_s=7 * 86_400, kept="days that are read again replace what was told of them")

USD_PER_REQUEST = Decimal("0.01")
"""Price of each request and of each further page: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/"""
FRESH_FOR = timedelta(hours=8)
"""Cost Explorer is refreshed a few times a day: what was read within this time is not asked for, nor paid, again."""
HOURLY_DAYS = 14
"""Days for which Cost Explorer keeps hours."""

_TARGET = "AWSInsightsIndexService.GetCostAndUsage"
_JSON = "application/x-amz-json-1.1"
_DENIED = (
    "UnrecognizedClient", "InvalidSignature", "SignatureDoesNotMatch", "InvalidClientTokenId", "ExpiredToken",
    "IncompleteSignature", "MissingAuthenticationToken", "InvalidAccessKeyId",
)  # fmt: skip
_FORBIDDEN = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "OptInRequired")
_BUSY = ("Throttling", "LimitExceeded", "TooManyRequests", "RequestLimitExceeded")
_PACKAGE = "pip install 'aether-tui[aws]'"


class AwsSettings(HttpSettings):
    """`[sources.aws]`. The keys of an identity that may read costs are the secrets `access_key_id` and
    `secret_access_key`, unless `signed_by = "machine"`.
    """

    url: str = Field(
        "https://ce.us-east-1.amazonaws.com",
        pattern=ADDRESS,
        description="Address of Cost Explorer, the same for all regions; or replay:PATH",
    )
    signed_by: Literal["stored", "machine"] = Field(
        "stored",
        description="stored: keys kept with `auth set`; machine: this machine's own (profiles, SSO, roles; extra aws)",
    )
    profile: str = Field("", description="Profile of this machine to sign with; empty: its default")
    granularity: Literal["daily", "hourly"] = Field(
        "daily", description="Hours must be switched on in Cost Explorer, and reach 14 days back"
    )
    split: str = Field(
        "account",
        pattern=r"^(account|region|tag:\S.*)$",
        description="What costs are split by beside the service: account, region or tag:NAME",
    )
    days_back: int = Field(
        365, ge=1, le=395, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )
    max_requests: int = Field(20, ge=1, le=1000, description="Requests a sync may pay for, at 0.01 USD each")

    @property
    def needs_secrets(self) -> bool:
        """Whether keys must be kept for it; the machine may have its own."""
        return self.signed_by == "stored"


class _Stale(Refused):
    """The token of a further page is not valid any more."""


class _Session(Protocol):
    """What is used of botocore's session."""

    def get_credentials(self) -> object: ...


class Aws:
    """Costs by service and account, region or tag. The cursor says up to which day, when, and in how many requests."""

    kind = "aws"
    Settings = AwsSettings
    SECRETS = ("access_key_id", "secret_access_key")
    streams = (BILLS,)
    access = Access(
        credential="an IAM user or role in the account that pays (or a member account, for its own costs), and its access key",
        permissions=("ce:GetCostAndUsage",),
        reads=("costs per day, service and account (or region, or one tag): billed and amortised",),
        leaves=("resources", "invoices and payment methods", "usage quantities"),
    )

    def __init__(self, settings: AwsSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        self._keys = Keys(*(secrets.get(name, "").strip() for name in self.SECRETS))
        self._open: list[Http] = []

    def price(self, _stream: Stream, since: str | None) -> Price | None:
        """What the next reading after the cursor costs; None when nothing would be asked."""
        begin = self._begin(since)
        if begin is None or self._settings.url.startswith("replay:"):
            return None
        last = integer(_cursor(since), "pages")
        usual = f"; the last time it took {last}" if last else ""
        most = self._settings.max_requests
        return Price(
            least_usd=USD_PER_REQUEST,
            most_usd=USD_PER_REQUEST * most,
            why=f"AWS bills each request to Cost Explorer at 0.01 USD; this takes 1 to {most} of them{usual}",
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of costs from the cursor on, the last seven days and the open month again: bills are restated.

        Nothing is asked within eight hours of the last reading. Raises SourceError; never stores.
        """
        begin = self._begin(since)
        if begin is None:
            return
        now = self._network.now()
        http = self._costs()
        replace = Replace(COSTS.name, ("charge_start",), _naive(now))
        before = self._network.requests
        for attempt in range(2):
            try:
                async for answer in self._walk(http, begin, before):
                    rows, rejects = cost_rows(listed(answer, "ResultsByTime"), self._settings.split)
                    last = text(answer.json, "NextPageToken") is None
                    paid = self._network.requests - before
                    cursor = (
                        {"day": self._end(now)[:10], "read": _naive(now).isoformat(), "pages": paid} if last else None
                    )
                    yield Page(
                        {COSTS.name: rows},
                        rejects=rejects,
                        replace=replace,
                        cursor=json.dumps(cursor) if cursor else None,
                    )
                return
            except _Stale:
                if attempt:
                    raise

    async def check(self) -> str:
        """Who the keys belong to. Asks AWS's service for identities, which is free, and not Cost Explorer."""
        url = re.sub(r"//ce\.", "//sts.", self._settings.url)
        http = self._client(url, "sts", {}, _classify_identity)
        answer = await http.get("/", {"Action": "GetCallerIdentity", "Version": "2011-06-15"})
        found = re.search(rb'Arn"?\s*[>:]\s*"?(arn:[^"<\s]+)', answer.body)
        if found is None:
            raise Malformed(f"{answer.asked} did not say whose keys these are", hint="check the url of this source")
        return found[1].decode(errors="replace")

    async def close(self) -> None:
        """Close connections."""
        for http in self._open:
            await http.close()

    # -- asking

    def _costs(self) -> Http:
        return self._client(self._settings.url, "ce", {"content-type": _JSON, "x-amz-target": _TARGET}, classify_aws)

    def _client(self, url: str, service: str, headers: Mapping[str, str], customs: Classify) -> Http:
        stored = self._settings.signed_by == "stored"
        keys = self._keys if stored else self._of_machine()
        secrets = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
        if keys.token:
            secrets["session_token"] = keys.token
        host = (urlsplit(url).hostname or "").split(".")
        region = host[1] if len(host) > 3 and host[0] in {"ce", "sts"} else "us-east-1"

        def sign(method: str, asked: str, body: bytes) -> dict[str, str]:
            return signed(keys, method, asked, body, headers, region=region, service=service, now=self._network.now())

        http = Http(
            url,
            self._network,
            service="AWS",
            secrets=secrets,
            headers=headers,
            classify=customs if stored else lambda answer: _of_profile(customs(answer)),
            ca_bundle=self._settings.ca_bundle,
            sign=sign,
        )
        self._open.append(http)
        return http

    async def _walk(self, http: Http, begin: str, before: int) -> AsyncIterator[Answer]:
        kind, _, tag = self._settings.split.partition(":")
        second = {"account": "LINKED_ACCOUNT", "region": "REGION"}.get(kind)
        body: dict[str, object] = {
            "TimePeriod": {"Start": begin, "End": self._end(self._network.now())},
            "Granularity": self._settings.granularity.upper(),
            "Metrics": ["UnblendedCost", "AmortizedCost"],
            "GroupBy": [
                {"Type": "DIMENSION", "Key": "SERVICE"},
                {"Type": "DIMENSION", "Key": second} if second else {"Type": "TAG", "Key": tag},
            ],
        }
        guard = PageGuard("Cost Explorer's answer")
        while True:
            if (paid := self._network.requests - before) >= self._settings.max_requests:
                raise Refused(
                    f"more than {paid} requests would be needed, {USD_PER_REQUEST * paid} USD are spent: stopped, nothing is "
                    "stored",
                    hint="raise max_requests of this source, or lower its days_back",
                )
            answer = await http.post("/", body)
            yield answer
            token = text(answer.json, "NextPageToken")
            if token is None:
                return
            guard.follow(token, rows=sum(len(objects(one, "Groups")) for one in objects(answer.json, "ResultsByTime")))
            body = {**body, "NextPageToken": token}

    def _begin(self, since: str | None) -> str | None:
        """The first day (or hour) to ask for; None when it was read a short while ago."""
        now = _naive(self._network.now())
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        known = _cursor(since)
        read = text(known, "read")
        if read is not None and timedelta(0) <= now - datetime.fromisoformat(read) < FRESH_FOR:
            return None
        oldest = today - timedelta(days=self._settings.days_back)
        if self._settings.granularity == "hourly":
            oldest = max(oldest, today - timedelta(days=HOURLY_DAYS - 1))
        begin = oldest
        if (day := text(known, "day")) is not None:
            before = datetime.fromisoformat(day) - timedelta(seconds=BILLS.overlap_s)
            begin = max(oldest, min(before, today.replace(day=1), today - timedelta(days=1)))
        return self._said(begin)

    def _end(self, now: datetime) -> str:
        """Exclusive: today is not over, the running hour neither."""
        hour = _naive(now).replace(minute=0, second=0, microsecond=0)
        return self._said(hour if self._settings.granularity == "hourly" else hour.replace(hour=0))

    def _said(self, at: datetime) -> str:
        return f"{at:%Y-%m-%dT%H:%M:%SZ}" if self._settings.granularity == "hourly" else f"{at:%Y-%m-%d}"

    def _of_machine(self) -> Keys:
        """The keys that the tools of AWS would use on this machine. Raises Denied when there are none."""
        if self._network.offline:
            raise Offline("not asked: offline", hint="run sync without --offline")
        try:
            module = importlib.import_module("botocore.session")
        except ImportError:
            raise Denied(
                "the credentials of this machine are read by AWS's own package, which is not installed",
                hint=f"{_PACKAGE}, or keep keys with `aether-tui auth set {self._network.source or self.kind}`",
            ) from None
        try:
            session = cast("_Session", module.Session(profile=self._settings.profile or None))
            found = session.get_credentials()
        except Exception as error:  # botocore's errors have no common base that can be named without it
            raise Denied(f"this machine's AWS credentials cannot be used: {error}", hint=_PROFILE_HINT) from error
        if found is None:
            raise Denied("this machine has no AWS credentials", hint=_PROFILE_HINT)
        frozen = cast("_Frozen", cast("_Credentials", found).get_frozen_credentials())
        return Keys(frozen.access_key, frozen.secret_key, frozen.token or "")


_PROFILE_HINT = "sign in with `aws sso login` or `aws configure`, or name a profile of this source in aether.toml"


class _Frozen(Protocol):
    access_key: str
    secret_key: str
    token: str | None


class _Credentials(Protocol):
    def get_frozen_credentials(self) -> object: ...


def classify_aws(answer: Answer) -> Verdict:
    """AWS's customs: everything is a 400, and its type says what it is."""
    kind = (text(answer.document, "__type") or "").rpartition("#")[2]
    if not kind:
        return classify(answer)
    said = f"{kind.removesuffix('Exception')}: {answer.message() or answer.status}"
    if kind.startswith(_DENIED):
        late = "expired" in said.lower() or "not yet current" in said.lower()
        clock = "; is the clock of this machine right?" if late and "Signature" in said else ""
        return Denied(f"the credential was not accepted ({said}{clock})")
    if kind.startswith(_FORBIDDEN):
        scope = "ce:GetCostAndUsage"
        return Forbidden(f"the credential lacks {scope} ({said})", scope=scope)
    if kind.startswith(_BUSY):
        return Again(
            RateLimited(f"Cost Explorer's limit is reached ({said})", hint=LATER), wait_s=answer.retry_after_s()
        )
    if kind.startswith("InvalidNextToken"):
        return _Stale(f"Cost Explorer lost its place ({said})", hint=LATER)
    if kind.startswith("DataUnavailable"):
        return Refused(
            f"Cost Explorer has no data yet ({said})",
            hint="open Cost Explorer once in the AWS console; its data are there a day later",
        )
    return Refused(f"the request was refused ({said})", hint="check the settings of this source")


def _of_profile(verdict: Verdict) -> Verdict:
    """A verdict on the machine's own keys, which are not kept with `auth set`."""
    if isinstance(verdict, Denied) and not verdict.hint:
        lacks = isinstance(verdict, Forbidden) and verdict.scope
        verdict.hint = f"give them {lacks}, or {_PROFILE_HINT}" if lacks else _PROFILE_HINT
    return verdict


def _classify_identity(answer: Answer) -> Verdict:
    """The service for identities answers XML, unless it is asked nicely."""
    return None if answer.status == 200 else classify_aws(answer) if answer.status != 403 else Denied(answer.story())


def _cursor(since: str | None) -> Node:
    """The cursor; an instant stands for the day up to which all is read."""
    if since is None or not since.startswith("{"):
        return {"day": since[:10]} if since else {}
    read = json.loads(since)
    return read if isinstance(read, dict) else {}


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
