"""AWS Cost Explorer on loopback: the shapes of AWS's documentation. `tests/peers` asks moto, which we did not write."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.aws import Aws, AwsSettings
from connectors.aws_sign import Keys, signed
from connectors.base import Denied, Forbidden, RateLimited, Refused
from tests.command import aether
from tests.connectors.catalogue import shows
from tests.connectors.pull import NOW, call, network, pull
from tests.connectors.server import Reply, Request, serving

KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "canary-secret"}


def aws(url: str, *, now: datetime = NOW, keys: dict[str, str] = KEYS, **settings: Any) -> Aws:
    return Aws(AwsSettings(url=url, **settings), keys, network(now=lambda: now))


def group(*keys: str, cost: str = "1.5", unit: str = "USD") -> dict[str, Any]:
    return {
        "Keys": list(keys),
        "Metrics": {
            "UnblendedCost": {"Amount": cost, "Unit": unit}, "AmortizedCost": {"Amount": "1.25", "Unit": unit},
        },
    }  # fmt: skip


def day(start: str, *groups: dict[str, Any], estimated: bool = False) -> dict[str, Any]:
    end = (datetime.fromisoformat(start) + timedelta(days=1)).date().isoformat()
    return {"TimePeriod": {"Start": start, "End": end}, "Total": {}, "Groups": list(groups), "Estimated": estimated}


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        # "get-vanilla" and "get-vanilla-query-order-key-case" of AWS's published signature test suite.
        ("https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "https://example.amazonaws.com/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_requests_are_signed_as_aws_published_it(url: str, signature: str) -> None:
    keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    headers = signed(keys, "GET", url, b"", {}, region="us-east-1", service="service", now=at)
    assert headers["Authorization"].endswith(f"SignedHeaders=host;x-amz-date, Signature={signature}")
    assert "wJalr" not in repr(keys)


def test_costs_per_day_service_and_account_over_two_pages() -> None:
    def explorer(request: Request) -> Reply:
        if "NextPageToken" in request.json:
            return Reply(
                {"ResultsByTime": [day("2026-11-19", group("Amazon Bedrock", "111", cost="-0.5e-3"), estimated=True)]}
            )
        first = day("2026-10-31", group("Amazon EC2", "111"), group("Tax", "222", cost="0.10000000001"))
        return Reply({"ResultsByTime": [first], "NextPageToken": "more"})

    with serving(explorer) as server:
        done = pull(aws(server.url))
        asked = server.requests
    rows = done.table("costs")
    assert done.error is None
    assert [
        (row["source_service"], row["account"], row["billed_cost"], row["effective_cost"], row["charge_category"])
        for row in rows
    ] == [
        ("Amazon EC2", "111", Decimal("1.5"), Decimal("1.25"), "Usage"),
        ("Tax", "222", Decimal("0.10000000001"), Decimal("1.25"), "Tax"),
        ("Amazon Bedrock", "111", Decimal("-0.0005"), Decimal("1.25"), "Usage"),
    ]
    assert [(row["estimated"], row["billing_start"].month, row["billing_end"].month) for row in rows] == [
        (False, 10, 11), (False, 10, 11), (True, 11, 12),
    ]  # fmt: skip
    assert {(row["currency"], row["provider"], row["list_cost"]) for row in rows} == {("USD", "AWS", None)}
    assert len({row["row_hash"] for row in rows}) == 3
    assert asked[0].json == {
        "TimePeriod": {"Start": "2025-11-20", "End": "2026-11-20"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost", "AmortizedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}],
    }
    assert asked[1].json == {**asked[0].json, "NextPageToken": "more"}
    assert asked[0].headers["x-amz-target"] == "AWSInsightsIndexService.GetCostAndUsage"
    assert asked[0].headers["content-type"] == "application/x-amz-json-1.1"
    assert (
        "/us-east-1/ce/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target"
        in (asked[0].headers["authorization"])
    )


def test_within_eight_hours_nothing_is_asked_and_later_the_open_month_again() -> None:
    with serving(lambda _: Reply({"ResultsByTime": []})) as server:
        first = pull(aws(server.url))
        cursor = json.loads(first.cursor or "")
        assert cursor == {"day": "2026-11-20", "read": "2026-11-20T12:00:00", "pages": 1}
        soon = aws(server.url, now=NOW + timedelta(hours=7, minutes=59))
        assert pull(soon, since=first.cursor).pages == []
        assert soon.price(soon.streams[0], first.cursor) is None
        assert len(server.requests) == 1
        pull(aws(server.url, now=NOW + timedelta(days=1)), since=first.cursor)
        pull(aws(server.url, now=NOW + timedelta(days=14)), since=first.cursor)
    periods = [request.json["TimePeriod"] for request in server.requests[1:]]
    assert periods[0] == {"Start": "2026-11-01", "End": "2026-11-21"}
    assert periods[1] == {"Start": "2026-11-13", "End": "2026-12-04"}


def test_hours_and_tags() -> None:
    hour = {"TimePeriod": {"Start": "2026-11-20T10:00:00Z", "End": "2026-11-20T11:00:00Z"}}
    groups = [group("Amazon EC2", "team$search"), group("Amazon EC2", "team$")]
    with serving(lambda _: Reply({"ResultsByTime": [{**hour, "Groups": groups}]})) as server:
        rows = pull(aws(server.url, granularity="hourly", split="tag:team")).table("costs")
        asked = server.requests[0].json
    assert asked["TimePeriod"] == {"Start": "2026-11-07T00:00:00Z", "End": "2026-11-20T12:00:00Z"}
    assert (asked["Granularity"], asked["GroupBy"][1]) == ("HOURLY", {"Type": "TAG", "Key": "team"})
    assert [(row["tags"], row["account"], row["charge_start"].hour) for row in rows] == [
        ('{"team": "search"}', None, 10), ("{}", None, 10),
    ]  # fmt: skip


def test_the_price_is_told_without_asking() -> None:
    with serving(lambda _: Reply({})) as server:
        source = aws(server.url, max_requests=5)
        price = source.price(source.streams[0], None)
        later = source.price(source.streams[0], '{"day": "2026-11-10", "read": "2026-11-11T00:00:00", "pages": 2}')
        assert server.requests == []
    assert price is not None
    assert (price.least_usd, price.most_usd) == (Decimal("0.01"), Decimal("0.05"))
    assert later is not None
    assert "the last time it took 2" in later.why
    free = aws("replay:x")
    assert free.price(free.streams[0], None) is None


@shows(11, of="aws")
def test_no_more_is_paid_than_was_agreed() -> None:
    numbers = iter(range(100))
    page = day("2026-11-01", group("Amazon EC2", "1"))
    with serving(lambda _: Reply({"ResultsByTime": [page], "NextPageToken": str(next(numbers))})) as server:
        done = pull(aws(server.url, max_requests=3))
        assert len(server.requests) == 3
    assert isinstance(done.error, Refused)
    assert "0.03 USD are spent" in done.error.what
    assert done.cursor is None


def failing(kind: str, message: str = "no") -> Reply:
    return Reply({"__type": f"com.amazonaws.ce#{kind}", "Message": message}, 400)


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("UnrecognizedClientException", Denied, "auth set mine"),
        ("ExpiredTokenException", Denied, "not accepted"),
        ("AccessDeniedException", Forbidden, "ce:GetCostAndUsage"),
        ("DataUnavailableException", Refused, "a day later"),
        ("BillExpirationException", Refused, "BillExpiration"),
        ("ValidationException", Refused, "refused"),
    ],
)
def test_what_aws_calls_its_refusals(kind: str, error: type[Exception], says: str) -> None:
    with serving(lambda _: failing(kind)) as server:
        done = pull(aws(server.url))
        assert len(server.requests) == 1
    assert type(done.error) is error
    assert done.error is not None
    assert says in f"{done.error.what} {done.error.hint}" or kind.removesuffix("Exception") in done.error.what


@shows(6, 19, of="aws")
def test_a_limit_is_waited_for_and_a_lost_place_is_begun_anew_once() -> None:
    replies = [failing("LimitExceededException"), failing("InvalidNextTokenException"), Reply({"ResultsByTime": []})]
    with serving(lambda _: replies.pop(0)) as server:
        source = aws(server.url)
        assert pull(source).error is None
        assert len(server.requests) == 3
    assert source._network.waited_s >= 1
    with serving(lambda _: failing("InvalidNextTokenException")) as server:
        assert isinstance(pull(aws(server.url)).error, Refused)
        assert len(server.requests) == 2
    with serving(lambda _: failing("ThrottlingException")) as server:
        assert isinstance(pull(aws(server.url)).error, RateLimited)


@pytest.mark.parametrize("cost", ["", None, "twelve"])
def test_money_that_is_none_is_null_and_a_word_is_a_reject(cost: Any) -> None:
    with serving(
        lambda _: Reply({"ResultsByTime": [day("2026-11-01", group("A", "1", cost=cost), group("B", "1"))]})
    ) as server:
        done = pull(aws(server.url))
    costs = [row["billed_cost"] for row in done.table("costs")]
    assert costs == ([Decimal("1.5")] if cost == "twelve" else [None, Decimal("1.5")])
    assert len(done.rejects) == (cost == "twelve")


@pytest.mark.parametrize("broken", [None, {}, {"TimePeriod": {"Start": "2026-11-02"}}, {"Groups": {"Keys": []}}])
def test_a_day_that_cannot_be_read_is_a_reject_and_not_a_day_without_costs(broken: object) -> None:
    with serving(lambda _: Reply({"ResultsByTime": [day("2026-11-01", group("A", "1")), broken]})) as server:
        done = pull(aws(server.url))
    assert (len(done.table("costs")), len(done.rejects)) == (1, 1)


def test_check_asks_who_we_are_and_not_what_it_costs() -> None:
    xml = b"<GetCallerIdentityResponse><Arn>arn:aws:iam::111:user/ada</Arn></GetCallerIdentityResponse>"
    with serving(lambda _: Reply(xml, headers={"Content-Type": "text/xml"})) as server:
        source = aws(server.url)
        assert call(source, source.check) == "arn:aws:iam::111:user/ada"
        assert server.requests[0].query["Action"] == "GetCallerIdentity"
        assert "/us-east-1/sts/aws4_request" in server.requests[0].headers["authorization"]


@pytest.mark.parametrize("refusal", ["UnrecognizedClientException", "AccessDeniedException"])
def test_the_machines_own_keys_are_neither_shown_nor_said_to_be_stored(
    refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SimpleNamespace(access_key="AKIAMACHINE", secret_key="machine-secret", token="machine-token")
    session = SimpleNamespace(get_credentials=lambda: SimpleNamespace(get_frozen_credentials=lambda: found))
    monkeypatch.setitem(sys.modules, "botocore.session", SimpleNamespace(Session=lambda profile: session))

    def echo(request: Request) -> Reply:
        return Reply({"__type": refusal, "message": f"got {request.headers['x-amz-security-token']}"}, 400)

    with serving(echo) as server:
        done = pull(aws(server.url, keys={}, signed_by="machine"))
    assert isinstance(done.error, Denied)
    assert "got ***" in done.error.what
    assert "aws sso login" in done.error.hint
    assert "auth set" not in done.error.hint


def test_without_the_extra_the_machines_credentials_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with serving(lambda _: Reply({})) as server:
        done = pull(aws(server.url, keys={}, signed_by="machine"))
        assert server.requests == []
    assert isinstance(done.error, Denied)
    assert "pip install 'aether-tui[aws]'" in done.error.hint


def test_sync_asks_before_it_pays_and_a_second_one_is_free(tmp_path: Path) -> None:
    keys = {"AETHER_AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AETHER_AWS_SECRET_ACCESS_KEY": "canary-secret"}
    with serving(lambda _: Reply({"ResultsByTime": [day("2026-11-01", group("Amazon EC2", "111"))]})) as server:
        (tmp_path / "aether.toml").write_text(f'[sources.aws]\nurl = "{server.url}"\n')
        refused = aether("sync", cwd=tmp_path, env=keys)
        assert (refused.code, server.requests) == (2, []), refused.err
        assert "0.01 to 0.20 USD" in refused.err
        assert "--yes" in refused.err
        paid = aether("sync", "--yes", cwd=tmp_path, env=keys)
        assert (paid.code, len(server.requests)) == (0, 1), paid.err
        again = aether("sync", cwd=tmp_path, env=keys)
        assert (again.code, len(server.requests)) == (0, 1), again.err
        full = aether("sync", "--full", "--yes", "--format", "json", cwd=tmp_path, env=keys)
    done = [json.loads(line) for line in full.out.splitlines() if '"done"' in line]
    assert [(line["inserted"], line["updated"], line["removed"]) for line in done] == [(0, 0, 0)], full.err


def test_doctor_names_an_account_that_two_sources_bill_and_asks_for_no_key_of_the_machines(tmp_path: Path) -> None:
    keys = {"AETHER_AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AETHER_AWS_SECRET_ACCESS_KEY": "canary-secret"}
    bill = tmp_path / "bill.csv"
    bill.write_text(
        "BilledCost,ChargeCategory,ChargePeriodStart,BillingPeriodStart,BillingCurrency,SubAccountId\n"
        "1.00,Usage,2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,USD,111\n1.00,Usage,2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,USD,222\n"
    )
    with serving(lambda _: Reply({"ResultsByTime": [day("2026-11-01", group("Amazon EC2", "111"))]})) as server:
        (tmp_path / "aether.toml").write_text(f'[sources.aws]\nurl = "{server.url}"\n')
        assert aether("sync", "--yes", cwd=tmp_path, env=keys).code == 0
        assert aether("load", bill, cwd=tmp_path).code == 0
    (tmp_path / "aether.toml").write_text('[sources.aws]\nsigned_by = "machine"\n')
    checks = {one["name"]: one for one in aether("doctor", "--format", "json", cwd=tmp_path).json["checks"]}
    assert "account 111 is billed by aws and focus" in json.dumps(checks["costs"])
    assert "222" not in json.dumps(checks["costs"])
    assert "no credential of ours needed" in json.dumps(checks["aws"])
