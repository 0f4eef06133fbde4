"""The failure catalogue, its rows about the way to a service: broken connections, certificates, names and proxies."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Offline, Refused, Transient
from tests.connectors.catalogue import shows
from tests.connectors.kinds import KINDS, Kind
from tests.connectors.pull import pull
from tests.connectors.server import Reply, Request, serving

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
AUTHORITY = """
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = san
[any]
commonName = supplied
[san]
subjectAltName = IP:127.0.0.1
"""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `key.pem` and certificates that sign themselves: of this address, of another one, and of last year."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl absent: no certificate to distrust")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "authority").write_text(AUTHORITY)
    (folder / "index").touch()

    def openssl(words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)

    openssl("ecparam -name prime256v1 -genkey -noout -out key.pem")
    for name, alternative in (("fine", "IP:127.0.0.1"), ("other", "DNS:other.example")):
        openssl(f"req -x509 -new -key key.pem -days 2 -subj /CN=x -addext subjectAltName={alternative} -out {name}.pem")
    openssl("req -new -key key.pem -subj /CN=127.0.0.1 -out request")
    openssl("ca -batch -config authority -selfsign -keyfile key.pem -in request -notext -out expired.pem "
            "-startdate 20250101000000Z -enddate 20250102000000Z")  # fmt: skip
    return folder


def secured(certificates: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem", certificates / "key.pem")
    return context


def trusting(kind: Kind, url: str, bundle: Path) -> Any:
    return replace(kind, settings={**kind.settings, "ca_bundle": str(bundle)}).source(url)


@EVERY
@shows(28)
def test_a_certificate_that_is_not_trusted_is_final_and_a_bundle_helps(kind: Kind, certificates: Path) -> None:
    with serving(kind.fine, secured(certificates, "fine")) as server:
        source = kind.source(server.url)
        done = pull(source)
        assert isinstance(done.error, Refused)
        assert "is not trusted" in done.error.what
        assert "ca_bundle" in done.error.hint
        assert (server.requests, source._network.waited_s) == ([], 0)
        assert pull(trusting(kind, server.url, certificates / "fine.pem")).error is None


@EVERY
@pytest.mark.parametrize(("name", "says"), [("other", "not valid for"), ("expired", "expired")])
@shows(28)
def test_a_trusted_certificate_of_another_host_or_of_last_year_is_final(
    kind: Kind, certificates: Path, name: str, says: str
) -> None:
    with serving(kind.fine, secured(certificates, name)) as server:
        source = trusting(kind, server.url, certificates / f"{name}.pem")
        done = pull(source)
        assert isinstance(done.error, Refused)
        assert says in done.error.what
        assert (server.requests, source._network.waited_s) == ([], 0)


@EVERY
@shows(13)
def test_a_connection_reset_in_the_middle_of_a_body_is_tried_again_and_leaves_nothing(kind: Kind) -> None:
    whole = kind.fine(Request("POST", "/", {}, {}, None)).content()
    left = [Reply(whole, reset=True)]
    with serving(lambda request: left.pop() if left else kind.fine(request)) as server:
        assert pull(kind.source(server.url)).error is None
    with serving(lambda _: Reply(whole, reset=True)) as server:
        done = pull(kind.source(server.url))
        assert len(server.requests) == 6
    assert isinstance(done.error, Transient)
    assert done.pages == []


def closed() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def unknown(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@EVERY
@pytest.mark.parametrize("trouble", ["nobody listens", "the name is unknown", "the proxy is gone"])
@shows(29)
def test_no_way_there_is_offline_after_a_second_try(kind: Kind, trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = closed()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if trouble == "the name is unknown":
        host = "tracker.example"
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    elif trouble == "the proxy is gone":
        monkeypatch.setenv("HTTP_PROXY", f"http://{host}")
        host = "tracker.example"
    source = kind.source(f"http://{host}")
    done = pull(source)
    assert isinstance(done.error, Offline)
    assert host in done.error.what
    assert "cached data stay usable" in done.error.hint
    assert 1.0 <= source._network.waited_s <= 1.5
