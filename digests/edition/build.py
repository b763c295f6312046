"""Builds one edition, in order: claim it, group its articles, load, compose, publish, save."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import pages_to_recheck
from digests.compose.context import EditionInputs
from digests.compose.edition import compose_draft, compose_edition
from digests.delivery.file import write_files
from digests.edition.llm_summary import add_llm_summaries
from digests.edition.load import load_edition_inputs
from digests.edition.publish import build_messages, render_files
from digests.edition.schedule import EditionRequest
from digests.model.delivery import OutboundMessage, Rendered
from digests.model.edition import Edition
from digests.render.edition_view import edition_view
from digests.render.text import measure_reading_time
from digests.settings.digests import DigestSettings
from digests.store import editions, outbox
from digests.store.keys import EditionKey
from digests.store.marks import save_link_key
from digests.store.stories import save_headlines
from digests.stories.send import send_must
from digests.stories.window import GroupedStories, cluster_and_save, cluster_preview
from digests.translate.translator import Translator, choose_target
from watcher.errors import StoreError
from watcher.store.pages import schedule_rechecks
from watcher.store.writer import read, write, write_with_retry

MAX_DRAFTS = 5  # of an edition with translations: two are enough unless some texts cannot be translated
EDITION_SAVE_PATIENCE_S = 180.0  # how long to retry while the store cannot be written


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEdition:
    """A stored edition with its key, and the files written for it. `is_new`: it was built now."""

    edition: Edition
    key: EditionKey
    files: tuple[Path, ...] = ()
    is_new: bool = True


def build_edition(
    engine: Engine,
    digest: DigestSettings,
    request: EditionRequest,
    *,
    now: datetime,
    held_for: timedelta | None = None,
) -> BuiltEdition | None:
    """
    Build the requested edition and store it; None if another process has built it, or is building it.

    Its files are written before it is stored: after a crash in between, it is built again and the files are replaced.
    Its messages go into the outbox in the transaction that stores it. `held_for` is how long the claim of another
    process is respected; None for the default (`store.editions.claim`).

    Errors: StoreError; DigestError, if a template or an address is wrong; DeliveryError, if a file cannot be written.
    """
    assert request.slot is not None, "an edition without a slot is not stored: build_unsaved_edition"
    key = EditionKey(digest=digest.name, local_date=request.local_date, slot=request.slot)
    window = (request.window_start, request.window_end)
    number = write(engine, editions.claim, key, window=window, now=now, held_for=held_for)
    if number is None:
        return None
    request = replace(request, number=number)
    try:
        if digest.mail.site is not None:
            write(engine, save_link_key, secrets.token_hex(16))
        edition = build_unsaved_edition(engine, digest, request, now=now)
        forms: tuple[Rendered, ...] = ()
        files: tuple[Path, ...] = ()
        if request.folder is not None:
            forms = render_files(engine, edition, digest, digest.formats, suffix=request.suffix)
            files = write_files(forms, request.folder)
        messages = build_messages(engine, edition, digest, suffix=request.suffix) if request.deliver else ()

        def save_all(connection: Connection) -> bool:
            if is_saved := save(connection, key, edition, messages, forms, now=now):
                send_must(connection, request.send, digest.must, edition, now=now)
            return is_saved

        is_saved = write_with_retry(engine, EDITION_SAVE_PATIENCE_S, save_all)
    except BaseException as error:
        # Other processes may build it now; if the store cannot be written, the claim expires.
        patience_s = EDITION_SAVE_PATIENCE_S if isinstance(error, StoreError) and error.transient else 0.0
        with suppress(StoreError):
            write_with_retry(engine, patience_s, editions.release_claim, key)
        raise
    return BuiltEdition(edition=edition, key=key, files=files) if is_saved else None


def build_unsaved_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the requested edition; stories and translations are saved, the edition is not. Errors: StoreError."""
    grouped = cluster_and_save(engine, start=request.window_start, end=request.window_end, now=now)
    edition, translator = _compose_translated(engine, digest, request, grouped, now=now)
    if translator is not None:
        translator.save(now)
    if digest.prose is not None:
        edition = add_llm_summaries(engine, edition, grouped.stories, digest.prose)
    return _with_reading_time(edition)


def preview_edition(engine: Engine, digest: DigestSettings, request: EditionRequest, *, now: datetime) -> Edition:
    """Return the edition that would be built now, without summaries by a model; nothing is saved."""
    grouped = cluster_preview(engine, start=request.window_start, end=request.window_end)
    return _with_reading_time(_compose_translated(engine, digest, request, grouped, now=now)[0])


def _with_reading_time(edition: Edition) -> Edition:
    return replace(edition, reading_minutes=measure_reading_time(edition_view(edition)))


def _compose_translated(
    engine: Engine, digest: DigestSettings, request: EditionRequest, grouped: GroupedStories, *, now: datetime
) -> tuple[Edition, Translator | None]:
    """Return the edition of `grouped` stories, and what has translated it; None if the settings name no engine."""
    inputs, settings = read(engine, load_edition_inputs, digest, request, grouped, now=now), request.translate
    if settings.engine == "none":
        return compose_edition(inputs), None
    translator = Translator(settings, choose_target(settings, digest), engine)
    return translator.with_outcome(_compose_and_translate(inputs, translator)), translator


def _compose_and_translate(inputs: EditionInputs, translator: Translator) -> Edition:
    """
    Return the edition, with each text translated that the reader could not read.

    A draft names the texts to translate. If one cannot be translated, the next draft has another one in its place,
    which must be translated too. After `MAX_DRAFTS`, what has no translation is not shown.
    """
    known = translator.known_for({article.language for article in inputs.context.articles.values()})
    for _ in range(MAX_DRAFTS):
        draft = compose_draft(inputs, known)
        if not draft.untranslated:
            return draft.edition
        known = replace(known, answers={**known.answers, **translator.translate(draft.untranslated)})
    return compose_draft(inputs, replace(known, is_complete=True)).edition


def save(
    connection: Connection,
    key: EditionKey,
    edition: Edition,
    messages: Sequence[OutboundMessage],
    files: Sequence[Rendered] = (),
    *,
    now: datetime,
) -> bool:
    """Store an edition with its messages and schedule rechecks of its pages; False if another process has its claim."""
    if not editions.save_edition(connection, key, edition, files):
        return False
    briefs = [*edition.briefs, *(brief for story in edition.stories for brief in story.related)]
    headlines = {brief.id: brief.title for brief in briefs} | {story.id: story.title for story in edition.stories}
    save_headlines(connection, headlines)
    outbox.enqueue(connection, key, messages, now=now)
    schedule_rechecks(connection, pages_to_recheck(edition), now=now)
    return True
