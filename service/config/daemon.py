"""Sections that say how the daemon runs: where it keeps its data, what it listens on, how it restarts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from rules.signals.authentication import AuthMode
from service.config import checks
from service.config.keys import Key, Secret, Section

__all__ = [
    "Api",
    "App",
    "Demo",
    "Durability",
    "Journal",
    "LogLevel",
    "MasterKeyFrom",
    "Mode",
    "Security",
    "Supervision",
    "Webhook",
]


class LogLevel(StrEnum):
    """Severity of an event, least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Durability(StrEnum):
    """When an event counts as written."""

    FULL = "full"
    NORMAL = "normal"
    OFF = "off"


class MasterKeyFrom(StrEnum):
    """Where the key of the vault is kept."""

    FILE = "file"
    KEYRING = "keyring"


class Mode(StrEnum):
    """What orders are worth."""

    LIVE = "live"
    PAPER = "paper"
    DRY_RUN = "dry_run"


class App(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The installation."""

    mode: Annotated[
        Mode,
        Key(
            doc="Real orders; simulated venue; decisions only (EX-113). live and paper hold for accounts that name no scope "
            "of their own. dry_run holds for all: every signal is taken through precision, ladder, slots and queue, told "
            "what it would have come to, and nothing is opened or closed; what is open already goes on by its own targets."
        ),
    ] = Mode.PAPER
    data_dir: Annotated[
        Path,
        Key(
            doc="Where journal, generated secrets and sockets live. A relative path starts at the folder of this file."
        ),
    ] = Path("data")
    log_level: Annotated[LogLevel, Key(doc="Least severe event that is logged.", applies="now")] = LogLevel.INFO
    auto_restart: Annotated[
        bool,
        Key(
            doc="Crashed actors are restarted by themselves. false: one of risk, venues or trading stays down, with whoever "
            "depends on it, its messages kept, until `bulkhead release PATH`; orders at the venue stay, exits wait too.",
            applies="now",
        ),
    ] = True
    timezone: Annotated[
        str,
        Key(
            doc="Zone of displayed times and of calendar days, weeks and months (EX-108).",
            applies="now",
            check=checks.time_zone,
        ),
    ] = "UTC"
    read_only: Annotated[
        bool,
        Key(doc="Refuse every change by operators, except to pause and to close a group (EX-1506).", applies="now"),
    ] = False


class Webhook(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTTP address that alerts are posted to: http://HOST:PORT/webhook/TOKEN."""

    host: Annotated[
        str,
        Key(
            doc="Address to listen on. Put a TLS proxy in front before you open it to the world.",
            check=checks.shaped(r"[0-9A-Za-z:.\-]{1,253}", "a host name or an address"),
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Key(doc="Port to listen on; 0 takes any free one.", at_least=0, at_most=65535)] = 8787
    user: Annotated[
        str,
        Key(
            doc="User the alerts act for; part of every group's identity (EX-301).",
            check=checks.shaped(r"[a-z0-9_\-]{1,32}", "1 to 32 lower-case letters, digits, - or _"),
        ),
    ] = "trader"
    token: Annotated[
        Secret | None,
        Key(doc="Unguessable last part of the address (EX-201).", check=checks.url_token, generated=True),
    ] = None
    trusted_proxies: Annotated[
        tuple[str, ...],
        Key(
            doc="Proxies whose X-Forwarded-For is believed: signal.ip_allowlist then asks about who posts, not about them.",
            check=checks.ip_network,
            example=("127.0.0.1/32",),
        ),
    ] = ()


class Security(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an alert proves that it is yours (EX-220 to EX-224)."""

    store_secrets_encrypted: Annotated[bool, Key(doc="Keep secrets encrypted; cannot be switched off.")] = True
    key_vault_path: Annotated[
        str,
        Key(
            doc="Folder of the vault; a relative path starts at app.data_dir.",
            check=checks.folder_inside,
        ),
    ] = "vault/"
    binding_id: Annotated[
        str | None,
        Key(
            doc="Ties encrypted secrets to this installation where the machine has no id of its own, as in containers "
            "(EX-1502).",
            check=checks.text_length(1, 128),
            example="trading-box-1",
        ),
    ] = None
    master_key: Annotated[
        Secret | None,
        Key(
            doc="Key of the vault: 32 random bytes in base64, as `openssl rand -base64 32` makes; BULKHEAD_MASTER_KEY is "
            "short for it. Unset: it is where master_key_from says.",
            check=checks.secret_length(43, 64),
        ),
    ] = None
    former_master_key: Annotated[
        Secret | None,
        Key(
            doc="The key before master_key, until `bulkhead secrets rotate-key` was called; BULKHEAD_MASTER_KEY_FORMER is "
            "short for it.",
            check=checks.secret_length(43, 64),
        ),
    ] = None
    master_key_from: Annotated[
        MasterKeyFrom,
        Key(doc="Where the key of the vault is kept: in a file, or in the keyring of the system (extra keyring)."),
    ] = MasterKeyFrom.FILE
    master_key_file: Annotated[
        Path | None,
        Key(
            doc="File with the key of the vault, readable by the service alone. Unset: secrets/master_key in app.data_dir, "
            "which is in no backup. A relative path starts at the folder of this file.",
            example=Path("/etc/bulkhead/master_key"),
        ),
    ] = None
    webhook_signature_validation: Annotated[
        bool, Key(doc="Ask alerts for a proof; can be switched off only in mode dry_run.", applies="now")
    ] = True
    webhook_auth_mode: Annotated[
        AuthMode,
        Key(
            doc="Which proofs are needed: the secret in the body, the signature header, both, or at least one. "
            "A proof that is presented must be right in every mode.",
            applies="now",
        ),
    ] = AuthMode.EITHER
    webhook_secret: Annotated[
        Secret | None,
        Key(doc="Secret in the body of an alert.", applies="now", check=checks.secret_length(16, 256), generated=True),
    ] = None
    webhook_hmac_key: Annotated[
        Secret | None,
        Key(doc="Key of the signature header.", applies="now", check=checks.secret_length(32, 256), generated=True),
    ] = None
    signature_tolerance_seconds: Annotated[
        int,
        Key(doc="Largest age of a signature.", unit="s", applies="now", at_least=10, at_most=3600),
    ] = 300
    secret_rotation_grace_hours: Annotated[
        int,
        Key(
            doc="How long a secret still counts after a new one took its place.",
            unit="h",
            applies="now",
            at_least=0,
            at_most=168,
        ),
    ] = 24


class Journal(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The journal: every decision is written here before it is acted on."""

    durability: Annotated[
        Durability,
        Key(
            doc="full: survives a power cut. normal: survives a crash of bulkhead, a power cut may cost the last moments "
            "(on a PostgreSQL server: its crash too). off: for replays only.",
        ),
    ] = Durability.FULL
    snapshot_every: Annotated[
        int,
        Key(
            doc="Events of one actor between two snapshots of its state.", unit="events", at_least=1, at_most=1_000_000
        ),
    ] = 1000


class Supervision(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a crashed actor is restarted before its supervisor gives up and escalates."""

    max_restarts: Annotated[int, Key(doc="Restarts allowed within the window.", at_least=0, at_most=1000)] = 5
    window_s: Annotated[int, Key(doc="Length of the window.", unit="s", at_least=1, at_most=86_400)] = 60
    backoff_base_ms: Annotated[
        int,
        Key(
            doc="Wait before the first restart; doubles with each further one, with jitter.",
            unit="ms",
            at_least=0,
            at_most=60_000,
        ),
    ] = 100
    backoff_cap_ms: Annotated[
        int,
        Key(doc="Longest wait before a restart.", unit="ms", at_least=1, at_most=3_600_000),
    ] = 30_000


class Demo(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Signals that bulkhead sends itself so that a first start shows something: soon one whole trade, then at leisure."""

    signals: Annotated[
        bool,
        Key(doc="Send demo signals. They trade only paper accounts on the synthetic market, whatever stands here."),
    ] = True
    interval_s: Annotated[
        int,
        Key(
            doc="Least time between two demo signals, once a first trade has been shown.",
            unit="s",
            at_least=1,
            at_most=86_400,
        ),
    ] = 15


class Api(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The local address that the command line and the cockpit talk to, and the same over the network for who may log in."""

    socket: Annotated[
        Path | None,
        Key(
            doc="Unix socket, readable by you alone. Unset: bulkhead.sock in app.data_dir. "
            "Systems allow about 100 characters; set a short path when the data folder is deep.",
            example=Path("/run/user/1000/bulkhead.sock"),
        ),
    ] = None
    enabled: Annotated[
        bool,
        Key(
            doc="Listen on host and port too. Whoever comes that way logs in: `bulkhead user add`, `bulkhead token create`."
        ),
    ] = False
    host: Annotated[
        str,
        Key(
            doc="Address to listen on. One that others can reach needs tls_cert and tls_key, or behind_proxy.",
            check=checks.shaped(r"[0-9A-Za-z:.\-]{1,253}", "a host name or an address"),
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Key(doc="Port to listen on; 0 takes any free one.", at_least=0, at_most=65535)] = 8788
    tls_cert: Annotated[
        Path | None,
        Key(
            doc="Certificate chain (PEM). A relative path starts at the folder of this file.",
            example=Path("tls/cert.pem"),
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        Key(doc="Private key of the certificate (PEM), readable by you alone.", example=Path("tls/key.pem")),
    ] = None
    behind_proxy: Annotated[
        bool, Key(doc="A proxy on this machine or network ends TLS in front of it: then host may be any address.")
    ] = False
    trusted_proxies: Annotated[
        tuple[str, ...],
        Key(
            doc="Proxies whose X-Forwarded-For is believed; without it lock-out and audit see the proxy's address.",
            check=checks.ip_network,
            example=("127.0.0.1/32",),
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        Key(
            doc="Web pages of other addresses that may use the API from a browser, such as https://desk.example.",
            check=checks.shaped(
                r"https?://[0-9A-Za-z.\-]{1,253}(:[0-9]{1,5})?", "an origin such as https://desk.example"
            ),
        ),
    ] = ()
    requests_per_minute: Annotated[
        int,
        Key(
            doc="Requests of one caller that are answered; local ones are not counted.",
            unit="1/min",
            applies="now",
            at_least=10,
            at_most=1_000_000,
        ),
    ] = 1_200
