"""Whether a request the connector really sent is legal by the vendor's own specification."""

from __future__ import annotations

import json

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from tests.connectors.server import Request


def assert_legal(api: OpenAPI, host: str, request: Request) -> None:
    """Raises openapi-core's own error, which names the field."""
    api.validate_request(
        MockRequest(
            host,
            request.method.lower(),
            request.path,
            args=dict(request.query),
            headers={"Authorization": request.headers["authorization"]},
            data=json.dumps(request.json).encode() if request.json is not None else None,
            content_type=request.headers.get("content-type", ""),
        )
    )
