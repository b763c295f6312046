"""
Whether an edition says only what its sources say: every sentence, headline and count, checked against the articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from digests.model import Brief, Edition, EditionStory, Mention, Sentence
from watcher.model import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in an edition that is not so. `where` names the place for a reader: "story 3, summary, sentence 2"."""

    story: str  # the id of the story or brief
    where: str
    text: str  # what the edition says
    message: str


def verify(edition: Edition, texts: Mapping[str, Article]) -> tuple[Fault, ...]:
    """
    Return all that is not so, in the edition's order; empty if everything is.

    Each sentence must stand in its article at its offset, with that article's outlet, URL, time and language; each
    headline must be the title of the story's report at that link; the mentions must be one an outlet; independent and
    folded must add up.
    """
    faults: list[Fault] = []
    for story in edition.stories:
        faults.extend(_of_story(story, texts))
    for brief in edition.briefs:
        faults.extend(_of_brief(brief, texts))
    return tuple(faults)


def _of_story(story: EditionStory, texts: Mapping[str, Article]) -> Iterator[Fault]:
    at = f"story {story.number}"
    yield from _of_headline(story.id, at, story.title, story.url, story.article_ids, texts)
    for part, sentences in (("summary", story.summary), ("since the last edition", story.since)):
        for number, sentence in enumerate(sentences, 1):
            where = f"{at}, {part}, sentence {number}"
            if sentence.article_id not in story.article_ids:
                yield Fault(
                    story=story.id, where=where, text=sentence.text, message="its article is not one of the story's"
                )
            yield from _of_sentence(story.id, where, sentence, texts)
    for mention in story.mentions:
        yield from _of_mention(story.id, f"{at}, source {mention.outlet}", mention, texts)
    counts = f"{story.outlets} outlets, {story.independent} independent, {story.folded} folded"
    if story.independent + story.folded != story.outlets:
        yield Fault(
            story=story.id, where=at, text=counts, message="independent and folded do not add up to the outlets"
        )
    if len({mention.outlet for mention in story.mentions}) != story.outlets or len(story.mentions) != story.outlets:
        yield Fault(story=story.id, where=at, text=counts, message=f"{len(story.mentions)} sources are named")


def _of_sentence(story: str, where: str, sentence: Sentence, texts: Mapping[str, Article]) -> Iterator[Fault]:
    article = texts.get(sentence.article_id)
    if article is None:
        yield Fault(
            story=story, where=where, text=sentence.text, message=f"its article {sentence.article_id} is not there"
        )
        return
    end = sentence.offset + len(sentence.text)
    if not sentence.text or sentence.offset < 0 or article.text[sentence.offset : end] != sentence.text:
        moved = sentence.text and sentence.text in article.text
        message = "it stands elsewhere in its article" if moved else "it does not stand in its article"
        yield Fault(story=story, where=where, text=sentence.text, message=message)
    told = (
        ("outlet", sentence.outlet, article.outlet),
        ("link", sentence.url, article.url),
        ("time", sentence.at, article.published_at),
        ("language", sentence.language, article.language),
    )
    for name, said, true in told:
        if said != true:
            yield Fault(
                story=story, where=where, text=sentence.text, message=f"{name} {said}, but the article's is {true}"
            )


def _of_mention(story: str, where: str, mention: Mention, texts: Mapping[str, Article]) -> Iterator[Fault]:
    article = texts.get(mention.article_id)
    if article is None:
        yield Fault(
            story=story, where=where, text=mention.title, message=f"its article {mention.article_id} is not there"
        )
        return
    told = (
        ("outlet", mention.outlet, article.outlet),
        ("link", mention.url, article.url),
        ("title", mention.title, article.title),
        ("time", mention.at, article.published_at),
        ("language", mention.language, article.language),
    )
    for name, said, true in told:
        if said != true:
            yield Fault(
                story=story, where=where, text=mention.title, message=f"{name} {said}, but the article's is {true}"
            )


def _of_headline(
    story: str, where: str, title: str, url: str, ids: tuple[str, ...], texts: Mapping[str, Article]
) -> Iterator[Fault]:
    linked = [texts[key] for key in ids if key in texts and texts[key].url == url]
    where = f"{where}, headline"
    if not linked:
        yield Fault(story=story, where=where, text=title, message=f"none of the story's articles is at {url}")
    elif not any(title and title in article.title for article in linked):
        yield Fault(story=story, where=where, text=title, message=f"the article at {url} has another title")


def _of_brief(brief: Brief, texts: Mapping[str, Article]) -> Iterator[Fault]:
    at = "brief"
    yield from _of_headline(brief.id, at, brief.title, brief.url, brief.article_ids, texts)
    linked = [texts[key] for key in brief.article_ids if key in texts and texts[key].url == brief.url]
    if linked and all(article.outlet != brief.outlet for article in linked):
        yield Fault(
            story=brief.id, where=at, text=brief.title, message=f"outlet {brief.outlet}, but it is {linked[0].outlet}'s"
        )
