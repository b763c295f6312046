"""Verifies that an edition matches its sources: sentences, headlines and counts are compared with the articles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from digests.model import Brief, Correction, Edition, EditionStory, Sentence, SourceMention
from watcher.model import Article, Revision

ROUNDING = 1e-5  # of a score, which has six decimal places
NO_REVISIONS: Mapping[str, Sequence[Revision]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """Something in an edition that is wrong. `where` is its place for a reader: "story 3, summary, sentence 2"."""

    story: str  # the id of the story or brief
    where: str
    text: str  # what the edition says
    message: str


def verify(
    edition: Edition, texts: Mapping[str, Article], revisions: Mapping[str, Sequence[Revision]] = NO_REVISIONS
) -> tuple[Discrepancy, ...]:
    """
    Return all discrepancies, in the edition's order; empty if there are none.

    Each sentence must be in its article at its offset, with that article's outlet, URL, time and language; each
    headline must be the title of the story's report at that link; the mentions must be one per outlet; independent and
    folded must add up. A changed number must be in both its sentences, a correction in both versions of its article.

    Args:
        texts: The stored articles by id.
        revisions: Later versions of their pages, which an edition may quote.
    """
    versions = {
        key: (
            article,
            *(replace(article, title=r.title, text=r.text) for r in revisions.get(key, ()) if r.kind == "changed"),
        )
        for key, article in texts.items()
    }
    found: list[Discrepancy] = []
    for story in edition.stories:
        _Checks(story.id, versions, found).story(story)
        for brief in story.related:
            _Checks(brief.id, versions, found).brief(brief)
    for brief in (*edition.briefs, *edition.ended):
        _Checks(brief.id, versions, found).brief(brief)
    for correction in edition.corrections:
        later = revisions.get(correction.article_id, ())
        _Checks(correction.story, versions, found).correction(correction, later)
    return tuple(found)


class _Checks:
    """The checks of one story, brief or correction, given by id; discrepancies are added to `found`."""

    def __init__(self, story: str, versions: Mapping[str, Sequence[Article]], found: list[Discrepancy]) -> None:
        self._story = story
        self._versions = versions  # each article as stored, then its later versions, by id
        self._found = found

    def story(self, story: EditionStory) -> None:
        at = f"story {story.number}"
        self._headline(at, story.title, story.url, story.article_ids)
        for part, sentences in (("summary", story.summary), ("since the last edition", story.updates)):
            for number, sentence in enumerate(sentences, 1):
                where = f"{at}, {part}, sentence {number}"
                if sentence.article_id not in story.article_ids:
                    self._add(where, sentence.text, "its article is not one of the story's")
                self._sentence(where, sentence)
        for number, written in enumerate(story.llm_sentences, 1):
            if not written.sources:
                self._add(f"{at}, prose {number}", written.text, "it rests on nothing")
            for sentence in written.sources:
                self._sentence(f"{at}, prose {number}, source {sentence.outlet}", sentence)
        for figure in story.number_changes:
            where = f"{at}, figure {figure.before} → {figure.after}"
            for value, sentence in ((figure.before, figure.sentence_before), (figure.after, figure.sentence_after)):
                self._sentence(where, sentence)
                if value not in sentence.text:
                    self._add(where, sentence.text, f"{value} does not stand in it")
        for mention in (*story.mentions, *(each.mention for each in story.perspectives)):
            self._mention(f"{at}, source {mention.outlet}", mention)
        self._score(at, story)
        counts = f"{story.outlets} outlets, {story.independent} independent, {story.folded} folded"
        if story.independent + story.folded != story.outlets:
            self._add(at, counts, "independent and folded do not add up to the outlets")
        if len({mention.outlet for mention in story.mentions}) != story.outlets or len(story.mentions) != story.outlets:
            self._add(at, counts, f"{len(story.mentions)} sources are named")

    def brief(self, brief: Brief) -> None:
        self._headline("brief", brief.title, brief.url, brief.article_ids)
        linked = self._articles_at(brief.url, brief.article_ids)
        if linked and all(article.outlet != brief.outlet for article in linked):
            self._add("brief", brief.title, f"outlet {brief.outlet}, but it is {linked[0].outlet}'s")

    def correction(self, correction: Correction, revisions: Sequence[Revision]) -> None:
        where = f"correction, {correction.outlet}"
        said = [f"{each.title}\n{each.text}" for each in self._versions.get(correction.article_id, ())]
        if not said:
            self._add(where, correction.before, f"its article {correction.article_id} is not there")
            return
        if not any(correction.before in text for text in said):
            self._add(where, correction.before, "it does not stand in its article")
        if correction.after and not any(correction.after in text for text in said[1:]):
            self._add(where, correction.after, "its page has never been seen to say so")
        if correction.kind == "gone" and all(each.kind != "gone" for each in revisions):
            self._add(where, correction.before, "its page has never been seen to be gone")

    def _score(self, at: str, story: EditionStory) -> None:
        """Check that a score is the sum of its terms, and that the terms for counts match the counts."""
        said = f"score {story.score}"
        if abs(story.score - sum(term.value * term.weight for term in story.score_terms)) > ROUNDING:
            self._add(at, said, "it is not the sum of its terms")
        counts = {
            "independent": story.independent,
            "carried": story.outlets,
            "languages": len(story.languages),
            "countries": len(story.countries),
        }
        for term in story.score_terms:
            count = counts.get(term.name)
            if count is not None and abs(term.value - math.log2(max(count, 1))) > ROUNDING:
                self._add(at, said, f"its term {term.name} is not that of {count}")

    def _sentence(self, where: str, sentence: Sentence) -> None:
        versions = self._versions.get(sentence.article_id, ())
        if not versions:
            self._add(where, sentence.text, f"its article {sentence.article_id} is not there")
            return
        start, end = sentence.offset, sentence.offset + len(sentence.text)
        stands = sentence.text and start >= 0
        if not stands or all(version.text[start:end] != sentence.text for version in versions):
            has_moved = sentence.text and any(sentence.text in version.text for version in versions)
            elsewhere, nowhere = "it stands elsewhere in its article", "it does not stand in its article"
            self._add(where, sentence.text, elsewhere if has_moved else nowhere)
        self._source(where, sentence.text, sentence, versions[0])

    def _mention(self, where: str, mention: SourceMention) -> None:
        versions = self._versions.get(mention.article_id, ())
        if not versions:
            self._add(where, mention.title, f"its article {mention.article_id} is not there")
            return
        article = next((version for version in versions if version.title == mention.title), versions[0])
        if article.title != mention.title:
            self._add(where, mention.title, f"title {mention.title}, but the article's is {article.title}")
        self._source(where, mention.title, mention, article)

    def _source(self, where: str, text: str, cited: Sentence | SourceMention, article: Article) -> None:
        """Check the outlet, link, time and language that are given for an article."""
        for name, field in (("outlet", "outlet"), ("link", "url"), ("time", "published_at"), ("language", "language")):
            said, true = getattr(cited, field), getattr(article, field)
            if said != true:
                self._add(where, text, f"{name} {said}, but the article's is {true}")

    def _headline(self, where: str, title: str, url: str, ids: tuple[str, ...]) -> None:
        linked = self._articles_at(url, ids)
        if not linked:
            self._add(f"{where}, headline", title, f"none of the story's articles is at {url}")
        elif not any(title and title in article.title for article in linked):
            self._add(f"{where}, headline", title, f"the article at {url} has another title")

    def _articles_at(self, url: str, ids: tuple[str, ...]) -> list[Article]:
        return [version for key in ids for version in self._versions.get(key, ()) if version.url == url]

    def _add(self, where: str, text: str, message: str) -> None:
        self._found.append(Discrepancy(story=self._story, where=where, text=text, message=message))
