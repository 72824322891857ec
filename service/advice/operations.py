"""What starting, operating, the journal and backups can end with."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["BACKUP", "CACHE", "JOURNAL", "OPERATORS", "START"]

START: Final = Area(
    "Start and command line",
    "These end a command; its exit code says of which kind it is ([commands](cli.md#exit-codes)).",
    (
        Word(("NotRunning",), "start it with `bulkhead up`; when it runs elsewhere, name its folder with `--config`"),
        Word(("Usage",), "call the command as its `--help` shows"),
        Word(
            ("NoTerminal",),
            "open it in a terminal, or in a browser: `bulkhead cockpit --serve`; a daemon alone is `bulkhead up --no-view`",
        ),
        Word(("Timeout",), "look before you do it again: `bulkhead tail`"),
        Word(("NotReady", "DaemonDied"), "read its log: `<data_dir>/bulkhead.log`"),
        Word(("StillRunning",), "wait, or end the process whose id the message names"),
        Word(
            ("JournalLocked",),
            "another bulkhead uses this folder: `bulkhead cockpit` shows it, `bulkhead down` ends it; or set `app.data_dir`",
        ),
        Word(("SocketTaken",), "another daemon answers on this socket: `bulkhead down`, or set `api.socket`"),
        Word(
            ("DeploymentUnreadable",),
            "restore `<data_dir>/deployment`, or delete it: then this counts as a new installation",
        ),
        Word(("MarketRefused",), "correct the `[market]` section"),
        Word(
            ("FeatureUnavailable",),
            "install the extra that the message names (`make extras`), or leave out the setting that asks for it",
        ),
        Word(("SourceError",), "check the files named in `market.replay`"),
        Word(("CommandNotLoaded",), "install bulkhead anew: `make up`; every other command works meanwhile"),
        Word(
            ("ExecutorUnavailable",),
            "start the cluster or correct the address after `--ray`; without it the processes of this machine are used",
        ),
        Word(("NotJson",), "daemon and command line are of different versions: `bulkhead down`, `bulkhead up`"),
    ),
)

OPERATORS: Final = Area(
    "Log and operators",
    "",
    (
        Word(("ReadOnlyMode",), "set `app.read_only` to false; pausing and closing groups work meanwhile"),
        Word(
            ("NotFound",),
            "check the id: `bulkhead tail`, `bulkhead group` and `bulkhead ps` show those there are",
        ),
        Word(
            ("NothingToTest",), "nothing: a paper account lives in the daemon; `bulkhead venue rules` shows its markets"
        ),
        Word(("TestUnderWay",), "wait for the answer of the test that runs; it takes up to two minutes"),
        Word(("PictureFailed",), "`bulkhead export` lists the charts there are; else the daemon's log says why"),
        Word(("ExportFailed",), "choose a folder that exists and has room: no half file was left"),
        Word(
            ("LogNotWritten",),
            "make room, or let the log folder be written: what is missing follows by itself",
        ),
        Word(("UnknownSegment",), "`bulkhead log segments` lists those there are"),
        Word(
            ("ActorRestarted", "ActorEscalated"), "an actor crashed: its reason is in the line, `bulkhead ps` shows it"
        ),
        Word(("ActorQuarantined",), "it crashed too often and stands still: read why, then `bulkhead release PATH`"),
        Word(("ActorReleased", "ActorEnded"), "nothing: it went on, or ended, in order"),
        Word(("ActorNotStarted",), "read why in the line, put it right, then `bulkhead restart PATH`"),
        Word(("ActorNotStopped",), "nothing: it did not end in its time and was ended"),
        Word(("NotQuarantined",), "nothing to release: `bulkhead ps` shows how every actor stands"),
        Word(("ChildQuarantined",), "read why it stands still, then `bulkhead release PATH`"),
        Word(
            ("NoSupervisor",), "what carries the API has nobody to start it again: `bulkhead down`, then `bulkhead up`"
        ),
        Word(("UnknownType",), "`bulkhead send --list` shows all message types"),
        Word(("UnknownField",), "`bulkhead send --list TYPE` shows the fields of a type"),
        Word(("NotInjectable",), "only commands and requests are sent by hand: `bulkhead send --list`"),
        Word(("NotReplayable",), "an order is never sent by hand: its desk asks the venue what became of it"),
        Word(("ConfirmationMissing",), "type the symbol again to trade it: `--confirm SYMBOL`"),
        Word(
            ("IllegalTransition", "IllegalOrderMove", "CloseExceedsOpen", "HandlerMistake"),
            "report this with its line: a defect; the actor was taken back to before it and goes on",
        ),
        Word(
            ("LiveLock",), "report this with its line: a defect; the replay was ended, what its journal holds is whole"
        ),
        Word(("SignalMissed",), "`bulkhead signal missed` shows what differs, and the command that would mend it"),
        Word(("AlertsNearLimit",), "let the alert fire once per bar close: TradingView stops one that fires too often"),
    ),
)

JOURNAL: Final = Area(
    "Journal",
    "See [Recover after a crash](../how-to/recover-after-a-crash.md).",
    (
        Word(
            ("JournalCorrupt",),
            "see what is damaged with `bulkhead journal verify`; a damaged tail can be cut on your word",
        ),
        Word(("JournalTooNew",), "start the version of bulkhead that wrote it; nothing was changed"),
        Word(("JournalUnavailable",), "free the disk, or stop the other bulkhead that holds the file"),
        Word(
            ("ConnectionLost", "CommitUnknown"),
            "see that the PostgreSQL server runs and is reached at `database.url`: work goes on by itself when it answers",
        ),
        Word(("ServerRefused",), "read why in the message: the PostgreSQL server refused, and kept nothing"),
        Word(("Fenced", "LeaseLost"), "nothing: another process has taken over and this one may write no more; end it"),
        Word(("MigrationFailed",), "free space on the disk and start again: the journal is as it was"),
        Word(
            ("UndecodableRecord",), "start the version of bulkhead that wrote it, and report this: nothing was changed"
        ),
        Word(("EntryRefused",), "report this: the step was not taken, the actor goes on from before it"),
        Word(("SequenceConflict",), "nothing: of two writers the later one is rebuilt by its supervisor"),
        Word(("CutRefused",), "cut where `bulkhead journal verify` says the damage begins"),
        Word(("Unconfirmed",), "type the words that the command prints"),
        Word(("ViewsError",), "nothing: the read models are built anew from the journal"),
        Word(
            ("NoRecord",),
            "check a day that was recorded, and not too long ago: see `self_check.record` and `self_check.retention_days`",
        ),
        Word(("InputsUnreadable",), "nothing: the check says the gap and goes on behind it"),
        Word(
            ("SelfCheckDiverged",),
            "look at it with `bulkhead replay --verify DAY`: a rule, a setting or the journal is not what it was",
        ),
        Word(
            ("SelfCheckFailed",),
            "check the day yourself with `bulkhead replay --verify DAY`; it says what is in the way",
        ),
        Word(("InputsNotWritten",), "free the disk: trading goes on, the day's check will say the gap"),
    ),
)

BACKUP: Final = Area(
    "Backup",
    "",
    (
        Word(("BackupUnderWay",), "wait: `/v1/backups` says how far it is"),
        Word(("BackupExists",), "give it another name: a backup is never written over"),
        Word(("BackupUnwritable",), "make room, or let `<data_dir>/backups` be written: no half archive was left"),
        Word(("BackupCorrupt",), "take another copy of the archive: this one is damaged, or none of ours"),
        Word(("BackupTooNew",), "restore it with the version of bulkhead that wrote it; nothing was changed"),
        Word(
            ("EngineNotFlat",),
            "close the groups first, or unpack the archive beside the installation: `--read-only-inspect FOLDER`",
        ),
        Word(
            ("RestoreInterrupted",), "run the same restore or move again: it was cut short, and it goes on where it was"
        ),
        Word(
            ("RestoreRefused",),
            "restore into an empty place, or add `--replace` (files only; what is there is kept aside)",
        ),
        Word(("BackupKeyMissing",), "name its key with `--key-file`, or set BULKHEAD_BACKUP_KEY"),
        Word(("BackupKeyWrong",), "give the key that the archive was made with: without it nobody can read it"),
        Word(("BackupKeyRefused",), "choose a key of 12 characters or more: `openssl rand -base64 32 > backup.key`"),
        Word(
            ("InstallationMoved",),
            "set `database.url` (or `app.data_dir`) to where it is now, or move it back: `bulkhead db migrate --from`",
        ),
        Word(("MoveRefused",), "name an empty place: what is there is another journal, or went on by itself"),
        Word(
            ("MoveIncomplete",),
            "run the same `bulkhead db migrate` again, and report this: the source goes on meanwhile",
        ),
        Word(
            ("ViewsDiffer",),
            "throw the read models away (`<data_dir>/views.db`): the daemon makes them anew; and report this",
        ),
        Word(("PruneRefused",), "name a day as 2026-01-31; only read models on PostgreSQL are kept by month"),
        Word(("ExportRefused",), "call `bulkhead db export` as its `--help` shows"),
    ),
)

CACHE: Final = Area(
    "Cache and other daemons",
    "Nothing that trades waits for the cache; see [Share a Redis server](../how-to/redis.md).",
    (
        Word(
            ("CacheAway", "CacheError"),
            "see that the Redis server runs and `BULKHEAD_REDIS_URL` is right: it is tried again by itself, orders go on",
        ),
        Word(("NodeNameTaken",), "give each daemon on the server a name of its own: set `redis.node`, start again"),
        Word(("CacheBack",), "nothing: what had waited was written"),
        Word(
            ("CacheRefused",),
            "read the reason: the server is read-only or full; what it did not take is dropped, orders go on",
        ),
        Word(
            ("BadFrame",),
            "nothing: what is no value of ours in the cache is ignored; see that nobody else writes there",
        ),
    ),
)
