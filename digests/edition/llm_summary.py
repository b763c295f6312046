"""Prose for an edition by a model that the settings name: bounded in time and tokens; else the extract stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from digests.analysis.corrections import apply_revisions
from digests.model import Edition, EditionStory, Story
from digests.summarise.llm_check import build_prompt, collect_prompt_sources, supported_sentences
from watcher.errors import WatcherError
from watcher.model import Article
from watcher.net.openai import Chat, Message
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read

if TYPE_CHECKING:
    from digests.settings.digests import ProseSettings

ANSWER_TOKENS = 400


def add_llm_summaries(
    engine: Engine,
    edition: Edition,
    stories: Sequence[Story],
    asked: ProseSettings,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Edition:
    """
    Return the edition with what the model wrote of its stories, best first, as far as time and tokens go.

    A story keeps its extract where the model wrote nothing that the reports bear out. That and a model that cannot be
    reached are told in the ledger; the edition is made in any case.
    """
    until, left = clock() + asked.time.total_seconds(), asked.tokens
    by_id = {story.id: story for story in stories}
    articles = articles_of(engine, edition)
    written: dict[str, EditionStory] = {}
    answered, fault = 0, ""
    try:
        chat = Chat(url=asked.url, model=asked.model, key=asked.key)
        for told in edition.stories:
            sources = (
                collect_prompt_sources(by_id[told.id], articles, language=edition.language) if told.id in by_id else ()
            )
            if not sources:
                continue
            system, user = build_prompt(sources, language=edition.language, title=told.title)
            room = until - clock()
            if room <= 0 or left <= ANSWER_TOKENS + (len(system) + len(user)) // 3:
                fault = "time is up" if room <= 0 else "its tokens are spent"
                break
            answer = chat.complete(
                [Message(role="system", text=system), Message(role="user", text=user)],
                most_tokens=ANSWER_TOKENS,
                timeout_s=min(room, asked.timeout.total_seconds()),
            )
            left -= answer.tokens
            answered += 1
            if prose := supported_sentences(answer.text, sources, language=edition.language):
                written[told.id] = replace(told, llm_sentences=prose, llm_model=asked.model)
    except WatcherError as error:
        fault = str(error)
    sections = tuple(
        replace(section, stories=tuple(written.get(story.id, story) for story in section.stories))
        for section in edition.sections
    )
    told_of = _in_words(asked.model, len(written), answered, fault)
    return replace(edition, sections=sections, ledger=replace(edition.ledger, llm_note=told_of))


def articles_of(engine: Engine, edition: Edition) -> Mapping[str, Article]:
    """Return the articles of an edition's stories as their pages say them now."""
    ids = {key for story in edition.stories for key in story.article_ids}
    found = read(engine, articles_by_id, ids)
    revisions = read(engine, revisions_of, ids)
    return {article.id: article for article in apply_revisions(tuple(found.values()), revisions)}


def _in_words(model: str, written: int, answered: int, fault: str) -> str:
    """Return what the ledger says of the model: how many stories it wrote, and why not the others that it was asked."""
    rest = answered - written
    parts = [f"{model} wrote {written}"]
    if rest > 0:
        parts.append(f"{rest} {'was' if rest == 1 else 'were'} not borne out by the reports")
    return ", ".join(parts) + (f"; {fault}" if fault else "")
