"""Summaries by the language model that the settings name, within limits of time and tokens."""

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine

from digests.analysis.corrections import apply_revisions
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory
from digests.model.ledger import LlmOutcome, LlmStop
from digests.model.story import Story
from digests.settings.digests import ProseSettings
from digests.summarise.checks import build_prompt, collect_prompt_sources, supported_sentences
from watcher.endpoints.chat import Chat
from watcher.errors import WatcherError
from watcher.model import Article
from watcher.store.articles import articles_by_id
from watcher.store.pages import revisions_of
from watcher.store.writer import read

ANSWER_TOKENS = 400  # at most, of one summary


def add_llm_summaries(engine: Engine, edition: Edition, stories: Sequence[Story], settings: ProseSettings) -> Edition:
    """
    Return the edition with summaries by the model, best stories first, until the time or tokens are used up.

    A story keeps its extract if the model fails or writes no sentence that the reports support. The ledger says how
    many summaries it wrote.
    """
    until, tokens_left = time.monotonic() + settings.time.total_seconds(), settings.tokens
    by_id = {story.id: story for story in stories}
    articles = read(engine, _load_revised_articles, edition)
    written: dict[str, EditionStory] = {}
    answers, stop, error_text = 0, None, ""
    try:
        chat = Chat(url=settings.url, model=settings.model, key=settings.key)
        for shown in edition.stories:
            story = by_id.get(shown.id)
            quoted = shown.quoted
            sources = collect_prompt_sources(story, articles, language=edition.language, quoted=quoted) if story else ()
            if not sources:
                continue
            system, user = build_prompt(sources, language=edition.language, title=shown.title)
            time_left = until - time.monotonic()
            if time_left <= 0:
                stop = LlmStop.TIME
                break
            if tokens_left <= ANSWER_TOKENS + (len(system) + len(user)) // 3:
                stop = LlmStop.TOKENS
                break
            timeout_s = min(time_left, settings.timeout.total_seconds())
            answer, tokens = chat.complete(system, user, most_tokens=ANSWER_TOKENS, timeout_s=timeout_s)
            tokens_left -= tokens
            answers += 1
            if sentences := supported_sentences(answer, sources, language=edition.language):
                written[shown.id] = replace(shown, llm_sentences=sentences, llm_model=settings.model)
    except WatcherError as error:
        stop, error_text = LlmStop.ERROR, str(error)
    sections = tuple(
        replace(section, stories=tuple(written.get(story.id, story) for story in section.stories))
        for section in edition.sections
    )
    outcome = LlmOutcome(
        model=settings.model, written=len(written), rejected=answers - len(written), stop=stop, error=error_text
    )
    return replace(edition, sections=sections, ledger=replace(edition.ledger, llm=outcome))


def _load_revised_articles(connection: Connection, edition: Edition) -> dict[str, Article]:
    """Return the articles that a model may read, by id, with the latest title and text of their pages."""
    ids = {key for story in edition.stories for key in story.article_ids if key not in story.withheld}
    articles = tuple(articles_by_id(connection, ids).values())
    return {article.id: article for article in apply_revisions(articles, revisions_of(connection, ids))}
