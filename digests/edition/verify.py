"""
Whether an edition says only what its sources say: every sentence, headline and count, checked against the articles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from digests.model import Brief, Correction, Edition, EditionStory, NumberChange, Sentence, SourceMention
from watcher.model import Article, Revision

ROUNDING = 1e-5  # of a score, which has six digits behind the point
NO_REVISIONS: Mapping[str, Sequence[Revision]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """Something in an edition that is not so. `where` names the place for a reader: "story 3, summary, sentence 2"."""

    story: str  # the id of the story or brief
    where: str
    text: str  # what the edition says
    message: str


Texts = Mapping[str, Sequence[Article]]  # an article as it was stored, then as its page said it later


def verify(
    edition: Edition, texts: Mapping[str, Article], revisions: Mapping[str, Sequence[Revision]] = NO_REVISIONS
) -> tuple[Discrepancy, ...]:
    """
    Return all that is not so, in the edition's order; empty if everything is.

    Each sentence must stand in its article at its offset, with that article's outlet, URL, time and language; each
    headline must be the title of the story's report at that link; the mentions must be one an outlet; independent and
    folded must add up. A changed figure must stand in both its sentences, a correction in both versions of its article.

    Args:
        texts: The articles as they are stored.
        revisions: What their pages said later: an edition made after that may quote it.
    """
    versions = {
        key: (
            article,
            *(replace(article, title=r.title, text=r.text) for r in revisions.get(key, ()) if r.kind == "changed"),
        )
        for key, article in texts.items()
    }
    faults: list[Discrepancy] = []
    for story in edition.stories:
        faults.extend(_of_story(story, versions))
        for brief in story.related:
            faults.extend(_of_brief(brief, versions))
    for brief in (*edition.briefs, *edition.ended):
        faults.extend(_of_brief(brief, versions))
    for correction in edition.corrections:
        faults.extend(_of_correction(correction, versions, revisions))
    return tuple(faults)


def _of_story(story: EditionStory, texts: Texts) -> Iterator[Discrepancy]:
    at = f"story {story.number}"
    yield from _of_headline(story.id, at, story.title, story.url, story.article_ids, texts)
    for part, sentences in (("summary", story.summary), ("since the last edition", story.updates)):
        for number, sentence in enumerate(sentences, 1):
            where = f"{at}, {part}, sentence {number}"
            if sentence.article_id not in story.article_ids:
                yield Discrepancy(
                    story=story.id, where=where, text=sentence.text, message="its article is not one of the story's"
                )
            yield from _of_sentence(story.id, where, sentence, texts)
    for number, prose in enumerate(story.llm_sentences, 1):
        if not prose.sources:
            yield Discrepancy(
                story=story.id, where=f"{at}, prose {number}", text=prose.text, message="it rests on nothing"
            )
        for sentence in prose.sources:
            yield from _of_sentence(story.id, f"{at}, prose {number}, source {sentence.outlet}", sentence, texts)
    for figure in story.number_changes:
        yield from _of_figure(story.id, f"{at}, figure {figure.before} → {figure.after}", figure, texts)
    for mention in (*story.mentions, *(voice.mention for voice in story.perspectives)):
        yield from _of_mention(story.id, f"{at}, source {mention.outlet}", mention, texts)
    yield from _of_place(story, at)
    counts = f"{story.outlets} outlets, {story.independent} independent, {story.folded} folded"
    if story.independent + story.folded != story.outlets:
        yield Discrepancy(
            story=story.id, where=at, text=counts, message="independent and folded do not add up to the outlets"
        )
    if len({mention.outlet for mention in story.mentions}) != story.outlets or len(story.mentions) != story.outlets:
        yield Discrepancy(story=story.id, where=at, text=counts, message=f"{len(story.mentions)} sources are named")


def _of_place(story: EditionStory, at: str) -> Iterator[Discrepancy]:
    """Yield what is wrong with a story's place: its score sums up its terms, and those of counts follow from them."""
    said = f"score {story.score}"
    if abs(story.score - sum(term.value * term.weight for term in story.score_terms)) > ROUNDING:
        yield Discrepancy(story=story.id, where=at, text=said, message="it is not the sum of its terms")
    counts = {
        "independent": story.independent,
        "carried": story.outlets,
        "languages": len(story.languages),
        "countries": len(story.countries),
    }
    for term in story.score_terms:
        count = counts.get(term.name)
        if count is not None and abs(term.value - math.log2(max(count, 1))) > ROUNDING:
            yield Discrepancy(
                story=story.id, where=at, text=said, message=f"its term {term.name} is not that of {count}"
            )


def _of_figure(story: str, where: str, figure: NumberChange, texts: Texts) -> Iterator[Discrepancy]:
    for number, sentence in ((figure.before, figure.sentence_before), (figure.after, figure.sentence_after)):
        yield from _of_sentence(story, where, sentence, texts)
        if number not in sentence.text:
            yield Discrepancy(story=story, where=where, text=sentence.text, message=f"{number} does not stand in it")


def _of_correction(
    correction: Correction, texts: Texts, revisions: Mapping[str, Sequence[Revision]]
) -> Iterator[Discrepancy]:
    where = f"correction, {correction.outlet}"
    versions = texts.get(correction.article_id, ())
    said = [f"{version.title}\n{version.text}" for version in versions]
    if not versions:
        message = f"its article {correction.article_id} is not there"
        yield Discrepancy(story=correction.story, where=where, text=correction.before, message=message)
        return
    if not any(correction.before in text for text in said):
        yield Discrepancy(
            story=correction.story, where=where, text=correction.before, message="it does not stand in its article"
        )
    if correction.after and not any(correction.after in text for text in said[1:]):
        message = "its page has never been seen to say so"
        yield Discrepancy(story=correction.story, where=where, text=correction.after, message=message)
    if correction.kind == "gone" and all(r.kind != "gone" for r in revisions.get(correction.article_id, ())):
        message = "its page has never been seen to be gone"
        yield Discrepancy(story=correction.story, where=where, text=correction.before, message=message)


def _of_sentence(story: str, where: str, sentence: Sentence, texts: Texts) -> Iterator[Discrepancy]:
    versions = texts.get(sentence.article_id, ())
    if not versions:
        yield Discrepancy(
            story=story, where=where, text=sentence.text, message=f"its article {sentence.article_id} is not there"
        )
        return
    end = sentence.offset + len(sentence.text)
    stands = sentence.text and sentence.offset >= 0
    if not stands or all(version.text[sentence.offset : end] != sentence.text for version in versions):
        moved = sentence.text and any(sentence.text in version.text for version in versions)
        message = "it stands elsewhere in its article" if moved else "it does not stand in its article"
        yield Discrepancy(story=story, where=where, text=sentence.text, message=message)
    article = versions[0]
    told = (
        ("outlet", sentence.outlet, article.outlet),
        ("link", sentence.url, article.url),
        ("time", sentence.published_at, article.published_at),
        ("language", sentence.language, article.language),
    )
    for name, said, true in told:
        if said != true:
            yield Discrepancy(
                story=story, where=where, text=sentence.text, message=f"{name} {said}, but the article's is {true}"
            )


def _of_mention(story: str, where: str, mention: SourceMention, texts: Texts) -> Iterator[Discrepancy]:
    versions = texts.get(mention.article_id, ())
    if not versions:
        yield Discrepancy(
            story=story, where=where, text=mention.title, message=f"its article {mention.article_id} is not there"
        )
        return
    article = next((version for version in versions if version.title == mention.title), versions[0])
    told = (
        ("outlet", mention.outlet, article.outlet),
        ("link", mention.url, article.url),
        ("title", mention.title, article.title),
        ("time", mention.published_at, article.published_at),
        ("language", mention.language, article.language),
    )
    for name, said, true in told:
        if said != true:
            yield Discrepancy(
                story=story, where=where, text=mention.title, message=f"{name} {said}, but the article's is {true}"
            )


def _of_headline(
    story: str, where: str, title: str, url: str, ids: tuple[str, ...], texts: Texts
) -> Iterator[Discrepancy]:
    linked = [version for key in ids for version in texts.get(key, ()) if version.url == url]
    where = f"{where}, headline"
    if not linked:
        yield Discrepancy(story=story, where=where, text=title, message=f"none of the story's articles is at {url}")
    elif not any(title and title in article.title for article in linked):
        yield Discrepancy(story=story, where=where, text=title, message=f"the article at {url} has another title")


def _of_brief(brief: Brief, texts: Texts) -> Iterator[Discrepancy]:
    at = "brief"
    yield from _of_headline(brief.id, at, brief.title, brief.url, brief.article_ids, texts)
    linked = [version for key in brief.article_ids for version in texts.get(key, ()) if version.url == brief.url]
    if linked and all(article.outlet != brief.outlet for article in linked):
        yield Discrepancy(
            story=brief.id, where=at, text=brief.title, message=f"outlet {brief.outlet}, but it is {linked[0].outlet}'s"
        )
