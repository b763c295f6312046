"""Verifies that an edition matches its sources: sentences, headlines and counts are compared with the articles."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from digests.model import Brief, Correction, Edition, EditionStory, Sentence, SourceMention
from watcher.model import Article, Revision

ROUNDING = 1e-5  # of a score, which has six decimal places
NO_REVISIONS: Mapping[str, Sequence[Revision]] = {}
ArticleVersions: TypeAlias = Mapping[str, Sequence[Article]]  # each article as stored, then its later versions, by id
# (where, text, message): the place for a reader ("story 3, summary, sentence 2"), what the edition says, what is wrong.
Fault: TypeAlias = tuple[str, str, str]


def verify(
    edition: Edition, texts: Mapping[str, Article], revisions: Mapping[str, Sequence[Revision]] = NO_REVISIONS
) -> tuple[Fault, ...]:
    """
    Return all faults, in the edition's order; empty if there are none.

    Each sentence must be in its article (in `texts` or `revisions`) at its offset, with that article's outlet, URL,
    time and language; each headline must be the title of the story's report at that link; the mentions must be one per
    outlet; independent and folded must add up. A changed number must be in both its sentences, a correction in both
    versions of its article.
    """
    versions = {key: [article] for key, article in texts.items()}
    for key in versions.keys() & revisions.keys():
        changed = (each for each in revisions[key] if each.kind == "changed")
        versions[key] += [replace(texts[key], title=each.title, text=each.text) for each in changed]
    found: list[Fault] = []
    for story in edition.stories:
        found += _check_story(story, versions)
        for brief in story.related:
            found += _check_brief(brief, versions)
    for brief in (*edition.briefs, *edition.ended):
        found += _check_brief(brief, versions)
    for each in edition.corrections:
        found += _check_correction(each, versions, revisions.get(each.article_id, ()))
    return tuple(found)


def _check_story(story: EditionStory, versions: ArticleVersions) -> Iterator[Fault]:
    at = f"story {story.number}"
    yield from _check_headline(at, story, versions)
    for part, sentences in (("summary", story.summary), ("since the last edition", story.updates)):
        for number, sentence in enumerate(sentences, 1):
            where = f"{at}, {part}, sentence {number}"
            if sentence.article_id not in story.article_ids:
                yield where, sentence.text, "its article is not in the story"
            yield from _check_sentence(where, sentence, versions)
    for turn in story.turns:
        yield from _check_sentence(f"{at}, {turn.day}", turn.sentence, versions)
    for number, written in enumerate(story.llm_sentences, 1):
        if not written.sources:
            yield f"{at}, LLM sentence {number}", written.text, "it cites no source"
        for sentence in written.sources:
            yield from _check_sentence(f"{at}, LLM sentence {number}, source {sentence.outlet}", sentence, versions)
    for figure in (*story.number_changes, *story.turn_figures):
        where = f"{at}, figure {figure.before} → {figure.after}"
        for value, sentence in ((figure.before, figure.sentence_before), (figure.after, figure.sentence_after)):
            yield from _check_sentence(where, sentence, versions)
            if value not in sentence.text:
                yield where, sentence.text, f"it does not contain {value}"
    for detail in (detail for difference in story.differences for detail in difference.details):
        for sentence in detail.sentences:
            yield from _check_sentence(f"{at}, {detail.text}, {sentence.outlet}", sentence, versions)
        if detail.text not in detail.sentences[0].text:
            yield at, detail.text, "it is not in its sentence"
    for mention in (*story.mentions, *(each.mention for each in story.perspectives)):
        yield from _check_mention(f"{at}, source {mention.outlet}", mention, versions)
    yield from _check_score(at, story)
    counts = f"{story.outlets} outlets, {story.independent} independent, {story.folded} folded"
    if story.independent + story.folded != story.outlets:
        yield at, counts, "independent and folded do not add up to the outlets"
    if len({mention.outlet for mention in story.mentions}) != story.outlets or len(story.mentions) != story.outlets:
        yield at, counts, f"but {len(story.mentions)} sources are named"


def _check_brief(brief: Brief, versions: ArticleVersions) -> Iterator[Fault]:
    yield from _check_headline("brief", brief, versions)
    linked = _versions_at_link(brief, versions)
    if linked and all(article.outlet != brief.outlet for article in linked):
        yield "brief", brief.title, f"the outlet is given as {brief.outlet}, but it is {linked[0].outlet}"


def _check_correction(
    correction: Correction, versions: ArticleVersions, revisions: Sequence[Revision]
) -> Iterator[Fault]:
    where = f"correction, {correction.outlet}"
    said = [f"{each.title}\n{each.text}" for each in versions.get(correction.article_id, ())]
    if not said:
        yield where, correction.before, f"its article {correction.article_id} is not stored"
        return
    if not any(correction.before in text for text in said):
        yield where, correction.before, "it is not in its article"
    if correction.after and not any(correction.after in text for text in said[1:]):
        yield where, correction.after, "no stored version of its page says so"
    if correction.kind == "gone" and all(each.kind != "gone" for each in revisions):
        yield where, correction.before, "its page was never found to be gone"


def _check_score(at: str, story: EditionStory) -> Iterator[Fault]:
    """Check that a score is the sum of its terms, and that the terms for counts match the counts."""
    said = f"score {story.score}"
    if abs(story.score - sum(term.value * term.weight for term in story.score_terms)) > ROUNDING:
        yield at, said, "it is not the sum of its terms"
    counts = {"independent": story.independent, "carried": story.outlets}
    counts |= {"languages": len(story.languages), "countries": len(story.countries)}
    for term in story.score_terms:
        count = counts.get(term.name)
        if count is not None and abs(term.value - math.log2(max(count, 1))) > ROUNDING:
            yield at, said, f"its term {term.name} does not match the count {count}"


def _check_sentence(where: str, sentence: Sentence, found: ArticleVersions) -> Iterator[Fault]:
    versions = found.get(sentence.article_id, ())
    if not versions:
        yield where, sentence.text, f"its article {sentence.article_id} is not stored"
        return
    start, end = sentence.offset, sentence.offset + len(sentence.text)
    stands = sentence.text and start >= 0
    if not stands or all(version.text[start:end] != sentence.text for version in versions):
        has_moved = sentence.text and any(sentence.text in version.text for version in versions)
        elsewhere, nowhere = "it is at another place in its article", "it is not in its article"
        yield where, sentence.text, elsewhere if has_moved else nowhere
    yield from _check_source(where, sentence.text, sentence, versions[0])


def _check_mention(where: str, mention: SourceMention, found: ArticleVersions) -> Iterator[Fault]:
    versions = found.get(mention.article_id, ())
    if not versions:
        yield where, mention.title, f"its article {mention.article_id} is not stored"
        return
    article = next((version for version in versions if version.title == mention.title), versions[0])
    if article.title != mention.title:
        yield where, mention.title, f"the title is given as {mention.title}, but it is {article.title}"
    yield from _check_source(where, mention.title, mention, article)


def _check_source(where: str, text: str, cited: Sentence | SourceMention, article: Article) -> Iterator[Fault]:
    """Check the outlet, link, time and language that are given for an article."""
    for name, field in (("outlet", "outlet"), ("link", "url"), ("time", "published_at"), ("language", "language")):
        said, true = getattr(cited, field), getattr(article, field)
        if said != true:
            yield where, text, f"the {name} is given as {said}, but it is {true}"


def _check_headline(where: str, shown: EditionStory | Brief, versions: ArticleVersions) -> Iterator[Fault]:
    linked = _versions_at_link(shown, versions)
    if not linked:
        yield f"{where}, headline", shown.title, f"no article of the story is at {shown.url}"
    elif not any(shown.title and shown.title in article.title for article in linked):
        yield f"{where}, headline", shown.title, f"the article at {shown.url} has another title"


def _versions_at_link(shown: EditionStory | Brief, versions: ArticleVersions) -> list[Article]:
    return [version for key in shown.article_ids for version in versions.get(key, ()) if version.url == shown.url]
