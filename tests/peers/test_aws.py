"""AWS Cost Explorer by moto's server, and signatures by AWS's own package: neither was written here."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.aws import Aws, AwsSettings
from connectors.aws_sign import Keys, signed
from tests.connectors.pull import NOW, call, network, pull

KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The address of moto's server; it ends with the module."""
    server = pytest.importorskip("moto.server", reason="moto is not installed: group `peers`").ThreadedMotoServer(
        port=0
    )
    server.start()
    try:
        _host, port = server.get_host_and_port()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def seed(url: str, pages: list[dict[str, Any]]) -> None:
    body = json.dumps({"results": pages}).encode()
    request = urllib.request.Request(f"{url}/moto-api/static/ce/cost-and-usage-results", body, method="POST")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()


def page(day: str, cost: str, **more: str) -> dict[str, Any]:
    metrics = {name: {"Amount": cost, "Unit": "USD"} for name in ("UnblendedCost", "AmortizedCost")}
    group = {"Keys": ["Amazon EC2", "111"], "Metrics": metrics}
    period = {"Start": f"2026-11-{day}", "End": f"2026-11-{int(day) + 1:02d}"}
    return {"ResultsByTime": [{"TimePeriod": period, "Groups": [group], "Estimated": day == "03"}], **more}


def test_three_pages_by_token_from_moto(moto: str) -> None:
    pages = [page("01", "1.10", NextPageToken="a"), page("02", "2.20", NextPageToken="b"), page("03", "3.30")]
    seed(moto, pages)
    source = Aws(AwsSettings(url=moto), KEYS, network())
    done = pull(source)
    assert done.error is None
    rows = done.table("costs")
    assert sum(row["billed_cost"] for row in rows) == Decimal("6.60")
    assert [row["estimated"] for row in rows] == [False, False, True]
    assert source._network.requests == 3


def test_who_we_are_by_moto(moto: str) -> None:
    source = Aws(AwsSettings(url=moto), KEYS, network())
    assert call(source, source.check).startswith("arn:aws:")


@pytest.mark.parametrize("token", ["", "temporary/token+=="])
def test_our_signature_is_that_of_awss_own_package(token: str) -> None:
    auth = pytest.importorskip("botocore.auth", reason="botocore is not installed: extra `aws`")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSInsightsIndexService.GetCostAndUsage"}
    url, body = "https://ce.us-east-1.amazonaws.com/?b=2&a=%C3%A9%20x", b'{"Granularity": "DAILY"}'
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    secret = KEYS["secret_access_key"]
    signer = auth.SigV4Auth(Credentials(KEYS["access_key_id"], secret, token or None), "ce", "us-east-1")
    signer.add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    keys = Keys(KEYS["access_key_id"], secret, token)
    ours = signed(keys, "POST", url, body, headers, region="us-east-1", service="ce", now=at)
    assert ours["Authorization"] == request.headers["Authorization"]


def test_the_credentials_of_this_machine_sign(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore.session", reason="botocore is not installed: extra `aws`")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMACHINE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "machine-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "machine-token")
    seed(moto, [page("01", "1")])  # the same request is answered by the same page again, whichever it was
    done = pull(Aws(AwsSettings(url=moto, signed_by="machine"), {}, network(now=lambda: NOW)))
    assert done.error is None
    assert done.table("costs")
