"""Where a configuration comes from: one file, one environment; what holds is the file's document under the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from protocol.errors import ValidationError
from service.config.catalogue import catalogue, value_at, with_values
from service.config.document import Config
from service.config.environment import ACCOUNT_SECRETS, Setting, settings_from, with_secrets
from service.config.errors import ConfigError, Problems
from service.config.history import History
from service.config.kept import KeptSecrets, Memory, given_by, read_kept, with_kept
from service.config.load import anchored
from service.config.means import check_means, scope_changes
from service.config.salvage import readable_parts
from service.config.text import as_json, document_of, from_toml, normal
from service.config.toml_file import edited, replace_file
from service.config.validate import check_changes
from service.config.venue_changes import Held, venue_changes

__all__ = ["Sources", "Start", "start_from"]


_SOMEBODY: Final = "whoever started it"


@dataclass(frozen=True, slots=True)
class Sources:
    """``file`` is None when the daemon was started without one; relative paths start at ``base``."""

    file: Path | None
    base: Path
    settings: tuple[Setting, ...] = ()
    given: Mapping[str, Any] | None = None
    """A document in place of a file, for whoever embeds a daemon."""
    memory: Memory = field(default_factory=Memory, compare=False)
    """What the vault keeps, as far as it was read."""

    @classmethod
    def of(cls, file: Path | None, env: Mapping[str, str]) -> Sources:
        """Return the sources of a command line; raises ``ConfigError`` for an environment with unknown settings."""
        problems = Problems()
        settings = settings_from(env, problems)
        if found := problems.all():
            raise ConfigError(found, source="environment")
        base = file.absolute().parent if file is not None else Path.cwd()
        return cls(file.absolute() if file is not None else None, base, tuple(settings))

    @classmethod
    def of_config(cls, config: Config) -> Sources:
        """Return the sources of a ready configuration: no file, and its secrets as if the environment had set them."""
        secrets = ((entry, value_at(config, entry)) for entry in catalogue().values() if entry.is_secret)
        settings = [Setting(_SOMEBODY, entry.path, each) for entry, each in secrets if each is not None]
        for account in config.accounts:
            given = ((key, getattr(account, key)) for key in ACCOUNT_SECRETS)
            name = account.name.replace("-", "_")
            settings += [Setting(_SOMEBODY, ("accounts", name, key), each) for key, each in given if each is not None]
        return cls(None, Path("/"), tuple(settings), document_of(config))

    @property
    def beaten(self) -> dict[str, str]:
        """Keys that the environment sets, with the variable: what a document says of them does nothing."""
        return {".".join(each.keys): each.variable for each in self.settings}

    def effective(self, document: Mapping[str, Any]) -> tuple[Config, tuple[ValidationError, ...]]:
        """Return the configuration that a document gives under the environment, and every mistake."""
        over = {".".join(each.keys): each.value for each in self.settings if each.keys[0] != "accounts"}
        accounts = document.get("accounts", [as_json(each) for each in Config().accounts])
        if any(each.keys[0] == "accounts" for each in self.settings):
            over["accounts"], _ = with_secrets(accounts, self.settings)
        checked = check_changes({**document, **over}, literal_secrets=False, complete=self.completed)
        means = Problems()
        check_means(checked.config, means)
        forgiven = "MissingCredential" if self.kept(checked.config).trouble else ""
        named = [
            ValidationError(e.path, f"{e.message} (set by {self.beaten[e.path]})", code=e.code, value=e.value)
            if e.path in self.beaten
            else e
            for e in (*checked.errors, *means.all())
            if e.code != forgiven
        ]
        return anchored(checked.config, self.base), tuple(named)

    def kept(self, config: Config) -> KeptSecrets:
        """Return what the vault keeps; it is opened when this is first asked."""
        if self.memory.now is None:
            self.memory.now = read_kept(anchored(config, self.base))
        return self.memory.now

    def completed(self, config: Config) -> Config:
        """Return a configuration with the secrets of the vault where the environment gives none."""
        return with_kept(config, self.kept(config), given_by(self.settings))

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what changes when the file does, None while there is none."""
        if self.file is None:
            return None
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> dict[str, Any] | None:
        """Return the document of the file, None when there is none; raises ``ConfigError`` when it cannot be read."""
        if self.given is not None:
            return normal(self.given)
        if self.file is None or not self.file.exists():
            return None
        try:
            return from_toml(self.file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            problem = ValidationError(str(self.file), str(error), code="Unreadable")
            raise ConfigError([problem], source=str(self.file)) from error

    def guess(self) -> Config:
        """Return what the file says as far as it can be read, defaults for the rest: enough to find a daemon."""
        try:
            document = self.read() or {}
        except ConfigError:
            document = self._salvaged()
        return self.effective(document)[0]

    def _salvaged(self) -> dict[str, Any]:
        try:
            return readable_parts(self.file.read_text(encoding="utf-8")) if self.file is not None else {}
        except (OSError, UnicodeDecodeError):
            return {}

    def write(self, document: Mapping[str, Any]) -> None:
        """Have the file hold a document; raises OSError, ``ConfigError`` or ``ConfigUnwritable``."""
        if self.file is None:
            return
        before = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        after = edited(before, document)
        if after != before:
            replace_file(self.file, after)


@dataclass(frozen=True, slots=True)
class Start:
    """What a daemon begins with. ``is_new``: the document is that of an edited file and becomes version ``version``.

    ``trouble`` says why the file could not be taken and the version in force stands, empty where it could (EX-111).
    """

    config: Config
    version: int
    document: Mapping[str, Any]
    is_new: bool
    trouble: str = ""


def start_from(history: History, sources: Sources, boot: Config, held: Held = lambda _: ()) -> Start:
    """Decide what is in force at a start: an edited file beats the version in force; without a file that one stands.

    A file that holds what we wrote last, or would have written when we were killed, is not edited: the journal stands, so
    that a crash within an apply ends at one version everywhere. ``boot`` is what file and environment gave before the
    journal was open: it alone says where data and socket are. A file with mistakes leaves the version in force in force, so
    that open groups are managed (EX-111). Raises ``ConfigError`` with every mistake where there is none, or it has some too.
    ``held`` says which groups are open: neither file nor version in force may have their orders go elsewhere (PF-230).
    """
    try:
        return _wanted(history, sources, boot, held)
    except ConfigError as error:
        if not history.in_force:
            raise
        document = history.document()
        config, mistakes = sources.effective(document)
        if mistakes or venue_changes(None, config, held):
            raise
        source = str(sources.file or "the configuration")
        trouble = _trouble(error, source, history.in_force)
        return Start(_placed(config, boot), history.in_force, document, False, trouble)


def _trouble(error: ConfigError, source: str, version: int) -> str:
    first, more = error.problems[0], len(error.problems) - 1
    others = f" and {more} more: `bulkhead config check`" if more else ""
    return f"{source} is invalid: {first} [{first.code}]{others}; version {version} is in force until that is right"


def _wanted(history: History, sources: Sources, boot: Config, held: Held) -> Start:
    in_file = sources.read()
    is_edited = in_file is not None and not history.may_be_in_file(in_file)
    is_new = is_edited or not history.in_force
    document = (in_file or {}) if is_new else history.document()
    config, mistakes = sources.effective(document)
    before = sources.effective(history.document())[0] if is_new and history.in_force else None
    if before is not None:
        mistakes = (*mistakes, *scope_changes(before, config))
    mistakes = (*mistakes, *venue_changes(before, config, held))
    if mistakes:
        raise ConfigError(mistakes, source=str(sources.file or "configuration"))
    return Start(_placed(config, boot), history.newest + 1 if is_new else history.in_force, document, is_new)


def _placed(config: Config, boot: Config) -> Config:
    return with_values(config, {"app.data_dir": boot.app.data_dir, "api.socket": boot.api.socket})
