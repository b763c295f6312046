"""The checks of `watcher check` for the digests: templates; online, delivery channels and the translation server."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from digests.delivery.file import FileDeliverSettings
from digests.edition.publish import load_own_templates
from digests.render.forms import try_templates
from digests.settings.alerts import AlertsSettings
from digests.settings.channel import DeliverSettings
from digests.settings.digests import MuteSettings, digests_of, folder_of
from digests.settings.translate import TranslateSettings
from digests.translate.translator import choose_target, find_lacking_models, foreign_languages, make_engine
from watcher.errors import SettingsError, WatcherError
from watcher.plugins import CheckResult, install_command
from watcher.settings.base import ValidationIssue
from watcher.settings.load import locate_issues, read_file
from watcher.settings.models import Settings
from watcher.settings.toml_syntax import Positions

TRIAL_WORD = "radio"  # to try a translation with


def check_templates(settings: Settings) -> dict[str, int]:
    """
    Return the number of the digests' own templates; {} without any.

    Errors: SettingsError, if a folder is missing; DigestError, if a template is wrong.
    """
    missing = [
        ValidationIssue(loc=("digests", n, "templates"), message=f"the folder {digest.templates} does not exist")
        for n, digest in enumerate(digests_of(settings))
        if digest.templates and not digest.templates.is_dir()
    ]
    if missing and settings.path:
        positions = Positions(read_file(settings.path))
        raise SettingsError(tuple(locate_issues(missing, positions, settings.path)))
    templates = {
        digest.templates: load_own_templates(digest.templates) for digest in digests_of(settings) if digest.templates
    }
    for files in templates.values():
        try_templates(files)
    return {"templates": sum(map(len, templates.values()))} if templates else {}


def check_channels(settings: Settings) -> dict[str, int]:
    """Return {}. Errors: DigestError, if the settings have a channel that is not installed."""
    for way in _all_deliveries(settings):
        way.check_installed()
    return {}


def find_warnings(settings: Settings) -> Iterator[str]:
    """Yield mute rules that have ended, what translation lacks, and where texts are sent for it."""
    translate = settings.section(TranslateSettings)
    if translate.engine == "firefox" and find_spec("fxtranslate") is None:
        yield f"the engine of [translate] is not installed: {install_command('translate')}"
    if translate.engine == "libretranslate":
        yield f"headlines that you do not read are sent to {urlsplit(translate.url or '').hostname} for translation"
    yield from _find_shared_folders(settings)
    outlets = {source.name.casefold(): source.name for source in settings.active_sources()}
    for digest in digests_of(settings):
        today = datetime.now(ZoneInfo(digest.timezone)).date()
        for phrase in dict.fromkeys(phrase for rule in digest.mute for phrase in _mute_words(rule)):
            if phrase.casefold() in outlets:
                table = f'[[digests.mute]] with sources = ["{outlets[phrase.casefold()]}"]'
                muted = f'{digest.name}: the mute rule "{phrase}" mutes titles with these words, not the source'
                yield f"{muted} of that name; to mute the source, use {table}"
        for rule in digest.mute:
            if isinstance(rule, MuteSettings) and rule.until and rule.until < today:
                ended = f'{digest.name}: the mute rule "{rule.label}" ended on {rule.until} and has no effect'
                yield f"{ended}; remove it or change its `until`"
        if pairs := find_lacking_models(settings, digest):
            missing = f"{digest.name}: missing translation models: {', '.join(pairs)}"
            yield f"{missing} (why: watcher translate list); install one with: watcher translate install PAIR FROM"


def _mute_words(rule: str | MuteSettings) -> tuple[str, ...]:
    """Return the words that a mute rule searches in the articles of all sources."""
    if isinstance(rule, str):
        return (rule,)
    return () if rule.sources or rule.tags else rule.words


def _find_shared_folders(settings: Settings) -> Iterator[str]:
    """Yield where a digest writes if not into its `directory`, and which digests write the same files."""
    writers: defaultdict[Path, list[str]] = defaultdict(list)
    for digest in digests_of(settings):
        folder = folder_of(digest, settings)
        writers[folder].append(digest.name)
        if folder != digest.directory:
            yield f"{digest.name}: its files go into {folder}, because another digest writes into {digest.directory}"
        for way in digest.deliver:
            if isinstance(way, FileDeliverSettings):
                writers[way.directory].append(digest.name)
    for folder, names in writers.items():
        if len(names) > 1:
            shared = f"{' and '.join(dict.fromkeys(names))} write into the same folder, {folder}"
            yield f"{shared}: their files have the same names and replace each other; give each its own `directory`"


def check_deliveries(settings: Settings) -> Iterator[CheckResult]:
    """Yield a result for each delivery channel of digests and alerts, each once; nothing is sent."""
    ways: dict[tuple[str, str], DeliverSettings] = {}
    for way in _all_deliveries(settings):
        ways.setdefault((way.what, way.target(settings)), way)
    for (what, name), way in ways.items():
        yield _check_service(what, name, partial(way.check, settings))


def _all_deliveries(settings: Settings) -> Iterator[DeliverSettings]:
    for digest in digests_of(settings):
        yield from digest.deliver
    yield from settings.section(AlertsSettings).deliver


def check_translation(settings: Settings) -> Iterator[CheckResult]:
    """Yield a result for the LibreTranslate server, if the settings have one."""
    if settings.section(TranslateSettings).engine == "libretranslate":
        host = urlsplit(settings.section(TranslateSettings).url or "").hostname or ""
        yield _check_service("translation server", host, partial(_try_translation, settings))


def _check_service(what: str, name: str, attempt: Callable[[], None]) -> CheckResult:
    try:
        attempt()
    except WatcherError as error:
        return CheckResult(what=what, name=name, fault=getattr(error, "reason", str(error)), hint=error.hint or "")
    return CheckResult(what=what, name=name)


def _try_translation(settings: Settings) -> None:
    """Have a word translated from each language that a digest does not read. Errors: WatcherError, the first one."""
    section = settings.section(TranslateSettings)
    engine = make_engine(section)
    for digest in digests_of(settings):
        target = choose_target(section, digest)
        for source in sorted(foreign_languages(settings, digest)) or ["es" if target == "en" else "en"]:
            if engine is not None:
                engine.translate(TRIAL_WORD, source, target)
