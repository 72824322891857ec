"""The addresses of what is kept, one row each: secrets, of which nothing comes out again, and backups."""

from __future__ import annotations

from typing import Final

from protocol.webhook import SecretRotated
from rules.backup_retention import Archive
from service.access.roles import Scope
from service.api.backups import BackupMade, BackupMark, BackupsPruned, BackupsShown, BackupWanted, PruneBackups
from service.api.secrets import DropSecret, PutSecret, Rotate
from service.api.table.routes import Route, get, post, with_more
from service.api.trials import TestCredentials
from service.credentials import KeyRotated, SecretDone, SecretsShown
from service.venue_trial import TrialResult

__all__ = ["KEEPING"]

_VAULT: Final = ("SecretsNotDecryptable", "VaultUnwritable")

KEEPING: Final[tuple[Route, ...]] = (
    get("/v1/secrets", "Which secrets there are, masked, and how the vault stands", SecretsShown, scope=Scope.ADMIN),
    post(
        "/v1/secrets/set",
        "Keep a secret in the vault",
        PutSecret,
        SecretDone,
        scope=Scope.ADMIN,
        errors=("UnknownSecret", *_VAULT),
    ),
    get("/v1/backups", "Which backups the daemon has made, and how far the next is", BackupsShown, scope=Scope.ADMIN),
    get("/v1/backups/{name}", "A backup as a file", bytes, scope=Scope.ADMIN, kind="file", errors=("NotFound",)),
    post(
        "/v1/backups",
        "Back up configuration, journal, read models and log into the data folder, and read it back",
        BackupWanted,
        BackupMade,
        scope=Scope.ADMIN,
        errors=("BackupUnderWay", "BackupExists", "BackupUnwritable", "BackupCorrupt"),
    ),
    post(
        "/v1/backups/prune",
        "Remove the backups that are no longer kept; preview only says which",
        PruneBackups,
        BackupsPruned,
        scope=Scope.ADMIN,
    ),
    post(
        "/v1/backups/keep",
        "Keep a backup for ever, or no longer",
        BackupMark,
        Archive,
        scope=Scope.ADMIN,
        errors=("NotFound", "BackupUnwritable"),
    ),
    post(
        "/v1/venues/test-credentials",
        "Try an account with credentials that are kept nowhere; trades nothing",
        TestCredentials,
        TrialResult,
        scope=Scope.ADMIN,
        errors=("NotFound", "NothingToTest", "TestUnderWay", "UnknownSecret"),
    ),
    post(
        "/v1/secrets/remove",
        "Take a secret out of the vault",
        DropSecret,
        SecretDone,
        scope=Scope.ADMIN,
        errors=("UnknownSecret", *_VAULT),
    ),
    post(
        "/v1/secrets/rotate",
        "Make a secret of alerts anew; it is shown this once",
        Rotate,
        with_more(SecretRotated, "secret made", secret=str),
        scope=Scope.ADMIN,
        errors=("SetByEnvironment", *_VAULT),
        secret=True,
    ),
    post(
        "/v1/secrets/rotate-key",
        "Encrypt the vault under another master key",
        None,
        KeyRotated,
        scope=Scope.ADMIN,
        errors=("MasterKeyFixed", *_VAULT),
    ),
)
