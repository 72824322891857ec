"""What a configuration can be refused with."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["SETTINGS"]

SETTINGS: Final = Area(
    "Configuration",
    "All mistakes are reported at once. `bulkhead config check` looks at the file without starting anything.",
    (
        Word(("UnknownKey",), "correct the name: `bulkhead config default` lists every key"),
        Word(("WrongType",), "give text, a number or a list, as the message says"),
        Word(("InvalidEnum",), "use one of the words that the message lists"),
        Word(("OutOfRange",), "use a value within the bounds that the message names"),
        Word(("UnknownTimezone",), "use a name such as UTC or Europe/Berlin"),
        Word(("MissingValue",), "give the value: the key has no default"),
        Word(
            ("SecretInFile",),
            "take the secret out of the file, set the variable, and treat the secret as read by others",
        ),
        Word(("UnsafeSecret",), "a file with a secret is damaged or readable by others: mend what the message names"),
        Word(("Unreadable",), "see that the file exists, may be read and holds what its name says"),
        Word(("Duplicate",), "two entries claim one name, symbol or exchange: change one"),
        Word(("EmptyLevels", "TooManyLayers"), "give 1 to `grid_strategy.max_dca_per_pyramid` layers"),
        Word(("InvalidGapSign",), "write gaps as 0 or negative, as the long side sees them"),
        Word(("GapsNotDescending",), "put each layer further away than the one before"),
        Word(("WeightSum",), "make the weights add up to 99.9 to 100"),
        Word(("IncompleteShorthand",), "give `dca_count` and `dca_gap_percent` together"),
        Word(("ShorthandConflictsWithLevels",), "give the layers or the shorthand, not both"),
        Word(("PyramidIndexOutOfRange",), "count pyramids from 0; the last is `max_pyramids_per_group` - 1"),
        Word(("SetByEnvironment",), "change the environment variable and start again: it beats every document"),
        Word(("NothingToApply",), "make a draft first: `bulkhead config set KEY VALUE`, or edit config.toml"),
        Word(("ConfigConflict",), "somebody applied since you looked: `bulkhead config diff`, then apply again"),
        Word(("ApplyFailed",), "correct the draft for the actor named; the version before is in force, the draft kept"),
        Word(
            ("ApplyUnfinished",),
            "the actor named is not on the version in force: `bulkhead restart PATH` has it begin anew",
        ),
        Word(("ConfigInvalid",), "the engine is in Error for it: correct config.toml, it is read again at once"),
        Word(("DraftUnreadable",), "config.toml was edited and is no TOML: mend it, it is read again at once"),
        Word(("UnknownVersion",), "use one of the last 50: `bulkhead config versions`"),
        Word(("ConfigUnwritable",), "the key stands in config.toml in a way no program can change: edit it by hand"),
        Word(
            ("ConflictingAlias",),
            "the key stands there under its older name too, with another value: keep one of them",
        ),
        Word(
            ("ExceedsMaxPyramids",),
            "lower `risk_engine.required_pyramids_for_timer`, or raise `grid_strategy.max_pyramids_per_group`",
        ),
        Word(
            ("InvalidPriorityList",),
            "name at least one ranking rule in `waiting_rule.selection_priority`, each at most once",
        ),
        Word(("EncryptionRequired",), "leave `security.store_secrets_encrypted` true"),
        Word(
            ("AuthenticationRequired",),
            "leave `security.webhook_signature_validation` true: false is for mode `dry_run` only",
        ),
        Word(("AuditRequiredInLive",), "leave `logging.audit_log_enabled` true in mode `live`"),
        Word(
            ("TestnetUnsupported",),
            "set `testnet` to false where there is no test network (`bulkhead venue list` says where there is one)",
        ),
        Word(
            ("LiveVenueMissing",),
            "set the account's scope to `paper` or `simulation`, or trade at a real venue: there no real order is executed",
        ),
        Word(
            ("RealMoney",),
            "set `testnet = true`; if you mean real money, false, and both the account's scope and app.mode to live",
        ),
        Word(
            ("InsecureAddress",),
            "use an https or wss address: credentials are never sent unencrypted to another machine",
        ),
        Word(("InvalidDataAccount",), "name an account whose own venue tells its prices, or leave `data` out"),
        Word(("ScopeChanged",), "give the account of the other scope a name of its own: a scope is for life"),
        Word(
            ("MissingCredential",),
            "call the command that the message names, or set the variable: key, secret; at okx and kucoin a passphrase too",
        ),
    ),
)
