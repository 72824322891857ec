"""The config store: keeps versions and draft, and puts a draft in force everywhere or nowhere (EX-1306 to EX-1311).

An apply is: journal the version, swap the value that factories read, write config.toml, have every actor concerned take its
settings, restart those that must be. A crash between any two of these ends, after the restart, at one version everywhere:
actors are built from the version in force, and a config.toml that holds what we wrote last counts as ours, not as edited.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from protocol.configuration import (
    ApplyDraft,
    ConfigAnswer,
    ConfigApplied,
    ConfigRolledBack,
    ConfigSettled,
    ConfigVersions,
    DiscardDraft,
    DraftChanged,
    EditDraft,
    GetConfig,
    KeyChange,
    LoadDraft,
    Mistake,
    VersionRow,
)
from protocol.errors import ValidationError
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Event, Message, Request
from protocol.risk import CONFIGURATION, EngineTroubleOver
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from service.applying import Applying, Failure
from service.config import Config, ConfigError
from service.config.history import History
from service.config.means import scope_changes
from service.config.older_names import present_name
from service.config.sources import Start
from service.config.text import decoded, differences, encoded, normal
from service.config.venue_changes import venue_changes
from service.config_edits import mistake_of, over, refused_edits
from service.settings import later

__all__ = ["CONFIG_TOPIC", "LOOK_S", "ConfigStore", "DraftConfigs", "GetDraftConfigs"]

log = logging.getLogger("bulkhead.config")

LOOK_S: Final = 1.0
"""Seconds between two looks whether config.toml was edited."""

CONFIG_TOPIC: Final = "config"
"""Bus topic of the newest ``ConfigAnswer`` (kept): every cockpit sees the draft as it is edited."""


class DraftConfigs(NamedTuple):
    """Active document and draft with the configurations they give; ``restarts`` as in ``service.config.preview.State``."""

    active_document: Mapping[str, Any]
    draft_document: Mapping[str, Any]
    active: Config
    draft: Config
    errors: tuple[ValidationError, ...]
    restarts: Mapping[str, tuple[str, ...]]


class GetDraftConfigs(Request[DraftConfigs], frozen=True, tag=True):
    """Return both for a preview; within this process only. ``edits``: what is being typed, over the draft."""

    edits: Mapping[str, Any] = {}


class _Look(Message, frozen=True, tag=True):
    pass


class _Finish(Message, frozen=True, tag=True):
    pass


class ConfigStore(DurableActor):
    """Owns which configuration is in force. ``watch`` says whether config.toml is looked at while it runs."""

    SNAPSHOT_EVERY = 10_000_000
    REPLAYABLE = (
        False  # it reads config.toml and waits for others to take their settings; what it decides, a person decided
    )

    def __init__(
        self,
        *,
        applying: Applying,
        start: Start,
        watch: bool = True,
        risk: str = "",
    ) -> None:
        self._applying = applying
        self._sources = sources = applying.sources
        self._start = start
        self._risk = risk
        self._watch = watch and sources.file is not None
        self._history = History()
        self._stamp = sources.stamp()
        self._in_file: Mapping[str, Any] | None = None
        self._unreadable = ""

    # --- life ----------------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Take one event in."""
        self._history.fold(event)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        changed = f", draft with {len(self._changes())} changes" if self._history.draft else ""
        return f"version {self._history.in_force} by {self._history.author}{changed}"

    def started(self) -> Do | None:
        """Journal the version of an edited file, or finish what a crash interrupted; begin to watch the file."""
        if self._watch:
            self.timers.every(LOOK_S, _Look())
        known = self._history
        if self._start.is_new and self._start.version > known.newest:
            applied = self._applied(self._start.version, known.document(), self._start.document, "file")
            self._in_file = dict(self._start.document)
            for change in applied.changes if known.in_force else ():
                log.info("config.toml: %s: %s -> %s", change.key, change.before or "default", change.after or "default")
            return Do([applied, ConfigSettled(self._start.version, self.now())], then=self._say)
        if self._applying.active.trouble:
            return self._in_trouble()
        self._in_file = self._readable()
        stale = self._in_file is not None and self._in_file != known.document() and known.may_be_in_file(self._in_file)
        if known.unsettled is not None or stale:
            self.ref.tell(_Finish())
        self._publish()
        return None

    def _in_trouble(self) -> Do | None:
        """Begin under the version in force; what the invalid file says, where it says anything, is the draft (EX-111)."""
        self._warn("ConfigInvalid", self._applying.active.trouble)
        self._in_file, known = self._readable(), self._history
        if known.unsettled is not None:
            self.ref.tell(_Finish())
        self._publish()
        return self._drafted(self._in_file, "file") if self._in_file is not None else None

    def _is_right_again(self) -> None:
        """Leave the Error once the file is valid and what it says is in force; harmless when there was none."""
        active, found = self._applying.active, self._readable()
        if active.trouble and (found is None or found == self._history.document()):
            active.trouble = ""
            log.info("config.toml is valid again, version %d", self._history.in_force)
            if (risk := self.context.system.lookup(self._risk)) is not None:
                risk.tell(EngineTroubleOver(CONFIGURATION))

    def _readable(self) -> Mapping[str, Any] | None:
        try:
            return self._sources.read()
        except ConfigError:
            return None

    @handles
    async def finish(self, msg: _Finish) -> None:  # noqa: ARG002 - the type is the message
        """Have actors and file go on under the version in force: a crash came between."""
        known = self._history
        changes = differences(known.document(known.unsettled), known.document())
        failure = await self._carry_out(changes)
        if failure is not None:
            self._warn("ApplyUnfinished", f"{failure.actor} does not take version {known.in_force}: {failure.cause}")
        await self.persist(ConfigSettled(known.in_force, self.now()))
        self._publish()

    # --- the file ------------------------------------------------------------------------------------------------------

    @handles
    def look(self, msg: _Look) -> Do | None:  # noqa: ARG002
        """Read an edited config.toml into the draft; one that cannot be read changes nothing (EX-1306)."""
        return self._from_file()

    def _from_file(self) -> Do | None:
        stamp = self._sources.stamp()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            found = self._sources.read()
        except ConfigError as error:
            why = str(error.problems[0])
            if why != self._unreadable:
                self._unreadable = why
                self._warn("DraftUnreadable", f"config.toml was edited and cannot be read, the draft stays: {why}")
            return None
        self._unreadable = ""
        before, self._in_file = self._in_file, found
        if self._applying.active.trouble and before is None:
            before = self._history.document()  # the file could not be read until now: the draft began there
        self._is_right_again()
        if found is None or found == before:
            return None
        edits = {each.key: found.get(each.key) for each in differences(before or {}, found)}
        return self._drafted(over(self._draft(), edits), "file")

    # --- the draft -----------------------------------------------------------------------------------------------------

    @handles
    def edit(self, msg: EditDraft) -> Do:
        """Change keys of the draft; a key that the environment sets is refused."""
        try:
            values = {present_name(name): value for name, value in decoded(msg.values).items()}
        except ValidationError as error:
            return Do(answer=self._answer([mistake_of(error)]))
        if refused := refused_edits(self._sources, values):
            return Do(answer=self._answer(refused))
        return self._drafted(over(self._draft(), values), msg.author)

    @handles
    def load(self, msg: LoadDraft) -> Do:
        """Replace the draft by a document, a kept version or the defaults."""
        if msg.version and msg.version not in self._history.versions:
            kept = f"{min(self._history.versions, default=0)} to {self._history.newest}"
            return Do(answer=self._answer([Mistake("UnknownVersion", "version", f"kept are {kept}", str(msg.version))]))
        try:
            wanted = self._history.document(msg.version) if msg.version else decoded(msg.document or "{}")
        except ValidationError as error:
            return Do(answer=self._answer([mistake_of(error)]))
        return self._drafted({present_name(name): value for name, value in wanted.items()}, msg.author)

    @handles
    def discard(self, msg: DiscardDraft) -> Do:
        """Drop the draft."""
        if self._history.draft is None:
            return Do(answer=self._answer())
        dropped = DraftChanged(document="", base=self._history.in_force, author=msg.author, at=self.now())
        return Do([dropped], then=self._say)

    @handles
    def show(self, msg: GetConfig) -> ConfigAnswer:
        """Answer with version and draft."""
        if not msg.version:
            return self._answer()
        kept = self._history.versions.get(msg.version)
        if kept is None:
            return self._answer([Mistake("UnknownVersion", "version", "is not kept any more", str(msg.version))])
        return ConfigAnswer(
            version=kept.version, author=kept.author, document=kept.document, base=kept.version, changes=kept.changes
        )

    @handles
    def configs(self, msg: GetDraftConfigs) -> DraftConfigs:
        """Answer with active and draft configuration; nothing changes by an edit that is given."""
        draft = over(self._draft(), {present_name(name): value for name, value in msg.edits.items()})
        config, errors = self._sources.effective(draft)
        restarts = {each.path: each.prefixes for each in self._applying.concerns() if each.settings is None}
        return DraftConfigs(self._history.document(), draft, self._applying.active.config, config, errors, restarts)

    @handles
    def versions(self, msg: ConfigVersions) -> tuple[VersionRow, ...]:  # noqa: ARG002
        """Answer with the kept versions."""
        return self._history.rows()

    def _draft(self) -> dict[str, Any]:
        draft = self._history.draft
        return decoded(draft.document) if draft is not None else self._history.document()

    def _drafted(self, document: Mapping[str, Any], author: str) -> Do:
        kept = normal(document)
        base = self._history.draft.base if self._history.draft is not None else self._history.in_force
        text = encoded(kept) if kept != self._history.document() else ""
        if text == (self._history.draft.document if self._history.draft is not None else ""):
            return Do(answer=self._answer())
        changed = DraftChanged(document=text, base=base, author=author, at=self.now())
        return Do([changed], then=self._say)

    # --- apply ---------------------------------------------------------------------------------------------------------

    @handles
    async def put_in_force(self, msg: ApplyDraft) -> ConfigAnswer:
        """Put the draft in force everywhere, or nowhere."""
        refused = self._not_now(msg)
        if refused:
            return self._answer(refused)
        draft = self._draft()
        config, errors = self._sources.effective(draft)
        running = self._applying.active.config
        errors = (*errors, *scope_changes(running, config), *venue_changes(running, config, self._applying.held))
        if errors:
            return self._answer([mistake_of(error) for error in errors])
        in_force = self._history.in_force
        applied = self._applied(self._history.newest + 1, self._history.document(), draft, msg.author)
        await self.persist(applied)
        failure = await self._carry_out(applied.changes)
        if failure is not None:
            return await self._go_back(applied, in_force, failure)
        await self.persist(ConfigSettled(applied.version, self.now()))
        self._is_right_again()
        for change in applied.changes:
            before, after = change.before or "default", change.after or "default"
            log.info("version %d: %s: %s -> %s", applied.version, change.key, before, after)
        answer = self._answer(changes=applied.changes)
        self._publish()
        return answer

    def _not_now(self, msg: ApplyDraft) -> list[Mistake]:
        """Return why this draft cannot be applied by this operator at this moment."""
        in_force = self._history.in_force
        if msg.version != in_force:
            theirs = differences(self._history.document(msg.version), self._history.document())
            keys = ", ".join(change.key for change in theirs) or "nothing"
            text = (
                f"edited from version {msg.version}, but version {in_force} by {self._history.author} was applied since "
                f"(it changed {keys}): look at `bulkhead config diff`, then apply again"
            )
            return [Mistake("ConfigConflict", "version", text, str(msg.version))]
        if self._sources.stamp() != self._stamp:
            self.ref.tell(_Look())
            text = "config.toml was edited a moment ago and is being read into the draft: look at it, then apply again"
            return [Mistake("ConfigConflict", "draft", text)]
        if not self._changes():
            return [Mistake("NothingToApply", "draft", "there is no draft: change a key first (`bulkhead config set`)")]
        return []

    async def _carry_out(self, changes: Sequence[KeyChange]) -> Failure | None:
        version, document = self._history.in_force, self._history.document()
        keys = [change.key for change in changes]
        write = self._in_file != document
        failure = await self._applying.carry_out(self.context.system, version, document, keys, write=write)
        if self._sources.file is not None and (failure is None or failure.actor != "config.toml"):
            self._in_file, self._stamp = document, self._sources.stamp()
        return failure

    async def _go_back(self, applied: ConfigApplied, before: int, failure: Failure) -> ConfigAnswer:
        """Return everything to the version before (EX-1307); the draft stays for another try."""
        back = ConfigRolledBack(
            version=applied.version, back_to=before, actor=failure.actor, cause=failure.cause[:4000], at=self.now()
        )
        kept = DraftChanged(document=applied.document, base=before, author=applied.author, at=self.now())
        await self.persist(back, kept)
        stuck = await self._carry_out(applied.changes)
        if stuck is not None:
            self._warn("ApplyUnfinished", f"{stuck.actor} does not go back to version {before}: {stuck.cause}")
        await self.persist(ConfigSettled(before, self.now()))
        self._publish()
        text = f"{failure.actor} did not take version {applied.version} ({failure.cause}): version {before} is in force"
        return self._answer([Mistake("ApplyFailed", failure.actor, text)])

    # --- answers -------------------------------------------------------------------------------------------------------

    def _applied(
        self, version: int, before: Mapping[str, Any], document: Mapping[str, Any], author: str
    ) -> ConfigApplied:
        return ConfigApplied(
            version=version,
            document=encoded(document),
            author=author,
            changes=differences(before, document),
            at=self.now(),
        )

    def _changes(self) -> tuple[KeyChange, ...]:
        return differences(self._history.document(), self._draft()) if self._history.draft is not None else ()

    def _say(self) -> Do:
        self._publish()
        return Do(answer=self._answer())

    def _publish(self) -> None:
        self.context.bus.publish(CONFIG_TOPIC, self._answer(), keep=True)

    def _answer(self, mistakes: Sequence[Mistake] = (), changes: tuple[KeyChange, ...] = ()) -> ConfigAnswer:
        known = self._history
        draft = known.draft
        changes = changes or self._changes()
        keys = [change.key for change in changes]
        _, wrong = self._sources.effective(self._draft()) if draft is not None else (None, ())
        return ConfigAnswer(
            version=known.in_force,
            author=known.author,
            document=encoded(known.document()),
            draft=draft.document if draft is not None else "",
            base=draft.base if draft is not None else known.in_force,
            changes=changes,
            mistakes=tuple(mistakes),
            draft_mistakes=tuple(mistake_of(error) for error in wrong),
            later=later(keys, self._applying.concerns()),
            beaten=tuple(key for key in keys if key in self._sources.beaten),
            draft_author=draft.author if draft is not None else "",
            unreadable=self._unreadable,
        )

    def _warn(self, code: str, text: str) -> None:
        log.warning("%s: %s", code, text)
        if (events := self.context.system.lookup(EVENT_LOG)) is not None:
            events.tell(LogEvent(severity="warning", code=code, text=text[:4000], about=self.context.path))
