"""The way to an Alertmanager: TLS, password, wrong addresses, servers that are something else. One clear line for each mistake."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fights import finding
from real_alertmanager import BINARY, MISSING, RealAlertmanager, Receiver

from streams.alerts import alertmanager as product
from streams.alerts.message import notice
from streams.alerts.target import Unreachable
from streams.settings import Alert

# The hash of "test", from Prometheus' own guide to basic auth.
WEB_CONFIG = """
tls_server_config: {cert_file: cert.pem, key_file: key.pem}
basic_auth_users: {interplay: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAlertmanager]:
    if BINARY is None:
        pytest.skip(MISSING)
    receiver = Receiver()
    server = RealAlertmanager(tmp_path_factory.mktemp("alertmanager"), receiver)
    server.start()
    yield server
    server.stop()
    receiver.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """One behind TLS and a password: its https URL and the authority to trust."""
    if BINARY is None:
        pytest.skip(MISSING)
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with: install openssl")
    folder = tmp_path_factory.mktemp("guarded")
    names = ["-subj", "/CN=interplay test", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *names]
    subprocess.run([*new, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    (folder / "web.yml").write_text(WEB_CONFIG)
    receiver = Receiver()
    server = RealAlertmanager(folder, receiver, [f"--web.config.file={folder}/web.yml"])
    server.start()
    yield server.url.replace("http:", "https:"), str(folder / "cert.pem")
    server.stop()
    receiver.close()


def complaint(url: str, **settings: Any) -> str:
    """What the target says when one alert is sent there."""

    async def attempt() -> str:
        target = product.Alertmanager(Alert(alertmanager=url, **settings))
        try:
            refused = await target.send([notice(finding(), "")], time.time_ns())
            return f"refused {refused}" if refused else "taken"
        except Unreachable as error:
            return str(error)
        finally:
            await target.close()

    return asyncio.run(attempt())


def test_tls_and_password_and_one_clear_line_for_each_mistake(guarded: tuple[str, str], server: RealAlertmanager) -> None:
    url, authority = guarded
    good = {"username": "interplay", "password": "test", "tls_ca": authority}
    assert complaint(url, **good) == "taken"
    assert "it refuses us: check alert.username and alert.password" in complaint(url, **good | {"password": "wrong"})
    assert "certificate verify failed" in complaint(url, **good | {"tls_ca": ""})
    assert "and not from Alertmanager: check alert.alertmanager" in complaint(url.replace("https:", "http:"), **good)
    assert "no API v2 there: check alert.alertmanager" in complaint(server.url + "/am")
    hidden = complaint(url.replace("https://", "https://interplay:hunter2@"), tls_ca=authority)
    assert "it refuses us" in hidden and "hunter2" not in hidden


def test_a_login_page_is_not_taken_for_a_delivery() -> None:
    async def attempt() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            moved = b"302 Found\r\nLocation: /login" if request.startswith(b"POST") else b"200 OK"
            writer.write(b"HTTP/1.1 " + moved + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as portal:
            return await asyncio.to_thread(complaint, f"http://127.0.0.1:{portal.sockets[0].getsockname()[1]}")

    assert "HTTP 302, no API v2 there" in asyncio.run(attempt())


def test_a_server_that_never_answers_is_left_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "TIMEOUT_S", 0.3)

    async def attempt() -> None:
        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(hang, "127.0.0.1", 0) as silent:
            port = silent.sockets[0].getsockname()[1]
            target = product.Alertmanager(Alert(alertmanager=f"http://127.0.0.1:{port}"))
            with pytest.raises(Unreachable, match="no answer within"):
                await target.send([notice(finding(), "")], time.time_ns())
            await target.close()

    asyncio.run(attempt())
