"""The door to the network: shut unless asked for, encrypted where others can listen."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.access.roles import Scope
from service.api.client import Client, DaemonNotRunning, UnsafeAddress
from service.api.control import restart
from service.api.network import tls_context
from service.config import ConfigError, parse
from tests.service.access.network_rig import Network, network
from tests.service.api_rig import Rig, run


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*plain))
    return chain, secret


def problems(**api: Any) -> list[str]:
    environment = {f"BULKHEAD_API__{name.upper()}": str(value) for name, value in api.items()}
    try:
        parse("", environment)
    except ConfigError as error:
        return [each.code for each in error.problems]
    return []


def test_nothing_listens_unless_asked_for() -> None:
    """Without api.enabled there is the socket and nothing else."""

    async def work(rig: Rig) -> None:
        assert (await rig.get("/v1/status"))["api_url"] == ""

    run(work)


def test_an_address_that_others_reach_needs_encryption() -> None:
    """Passwords and orders leave this machine under TLS, its own or a proxy's, or not at all (EX-1504)."""
    assert problems(enabled="true", host="0.0.0.0") == ["PlainTextRefused"]
    assert problems(enabled="true", host="desk.example") == ["PlainTextRefused"]
    assert problems(enabled="true", host="0.0.0.0", behind_proxy="true") == []
    assert problems(enabled="true", host="0.0.0.0", tls_cert="/c.pem", tls_key="/k.pem") == []
    assert problems(enabled="true", tls_cert="/c.pem") == ["MissingValue"]
    assert problems(enabled="true", host="::1") == []
    assert problems(host="0.0.0.0") == [], "what does not listen harms nobody"


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    """A key of another pair, or a file that is no certificate, is refused with the key of the configuration."""
    chain, _ = certificate(tmp_path)
    config = parse("", {"BULKHEAD_API__TLS_CERT": str(chain), "BULKHEAD_API__TLS_KEY": str(chain)})
    with pytest.raises(ConfigError) as caught:
        tls_context(config)
    assert caught.value.problems[0].code == "CertificateUnusable"


def test_it_is_spoken_to_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line checks the certificate; a client without TLS gets nothing."""
    chain, key = certificate(tmp_path)

    async def work(net: Network) -> None:
        import anyio

        token = await net.token(Scope.READ)
        url = net.server.network_url
        assert url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(chain))
        headers = {"Authorization": f"Bearer {token}"}
        async with net.session.get(url + "/v1/me", headers=headers, ssl=trusting) as said:
            assert said.status == 200
            assert said.headers["Strict-Transport-Security"]
        client = Client(Path(), url=url, token=token)
        with pytest.raises(DaemonNotRunning, match="certificate"):
            await anyio.to_thread.run_sync(lambda: client.get("/v1/me"))
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        assert (await anyio.to_thread.run_sync(lambda: client.get("/v1/me")))["kind"] == "token"

    network(work, BULKHEAD_API__TLS_CERT=str(chain), BULKHEAD_API__TLS_KEY=str(key))


def test_a_token_leaves_this_machine_encrypted_or_not_at_all() -> None:
    """The client refuses plain http to any other machine, and what is no address."""
    for url in ("http://desk.example:8788", "http://10.0.0.7", "desk:8788", "ftp://desk"):
        with pytest.raises(UnsafeAddress):
            Client(Path(), url=url, token="x")
    assert Client(Path(), url="http://127.0.0.1:8788/v1").url == "http://127.0.0.1:8788"


def test_the_command_line_reaches_a_daemon_elsewhere() -> None:
    """--url and --token, or their variables, take the place of the socket."""

    async def work(net: Network) -> None:
        import json

        import anyio

        from service.cli.commands import app
        from tests.service.command_line import CliRunner

        token = await net.token(Scope.READ)

        def bulkhead(*words: str, **env: str) -> Any:
            return CliRunner().invoke(app, list(words), env=env)

        def ask() -> tuple[Any, Any, Any]:
            named = bulkhead("--url", net.url, "--token", token, "status", "--json")
            by_variable = bulkhead("status", "--json", BULKHEAD_URL=net.url, BULKHEAD_TOKEN=token)
            without = bulkhead("--url", net.url, "status", "--json")
            return named, by_variable, without

        named, by_variable, without = await anyio.to_thread.run_sync(ask)
        assert json.loads(named.stdout)["api_url"] == json.loads(by_variable.stdout)["api_url"] == net.url
        assert json.loads(without.stderr)["code"] == "NotAuthenticated"

    network(work)


def test_a_restarted_api_listens_on_its_port_again() -> None:
    """A crash of the API costs those who are connected a moment, and nobody their address; tokens go on counting."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        assert net.url.endswith(f":{port}")
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        await restart(net.rig.host.system, "/operators/api")
        assert (await net.ask("GET", "/v1/me", token)).status == 200

    network(work, BULKHEAD_API__PORT=str(port))
