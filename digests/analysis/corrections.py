"""Changes that outlets made to reports after an edition cited them: headlines, numbers, retractions, deleted pages."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from itertools import islice

from digests.analysis.country_names import load_data
from digests.analysis.numbers import significant_numbers
from digests.model.edition import Correction, Edition
from watcher.model import Article, Revision
from watcher.text.sentences import sentences
from watcher.text.words import stems, tokens

MAX_CORRECTIONS = 12  # corrections of an edition
MAX_PER_ARTICLE = 2  # of one article
MIN_ALIKE = 0.5  # share of two sentences' words from which on one is a new wording of the other
MAX_REWORDED = 0.9  # share above which only the spelling has changed
MIN_KEPT = 0.5  # of a text's sentences that its page must still have for a cited one to count as removed
CORRECTION_CHARS = 8000  # of a text
NAMED_SOURCES = 12  # of a story, about as many as an edition names
RETRACTED = re.compile("|".join(load_data("corrections")["retracted"]), re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The citation of an article in an edition: the story, with the sentences and headlines cited, verbatim."""

    on: date
    story: str
    title: str
    texts: tuple[str, ...] = ()


NO_CITATION = Citation(on=date.min, story="", title="")


def collect_citations(editions: Sequence[Edition]) -> dict[str, Citation]:
    """Return the latest citation of each article by id; `editions` are the latest first."""
    citations: dict[str, Citation] = {}
    for edition in editions:
        for story in edition.stories:
            texts: defaultdict[str, list[str]] = defaultdict(list)
            for sentence in story.quoted:
                texts[sentence.article_id].append(sentence.text)
            for line in edition.at_a_glance:
                if line.story == story.id:
                    texts[line.article_id].append(line.text)
            for event in edition.coming_up:
                if event.story == story.id:
                    texts[event.last_said.article_id].append(event.last_said.text)
            for mention in story.mentions:
                texts[mention.article_id] += [story.title] if mention.url == story.url else []
            for key, cited in texts.items():
                quoted = tuple(dict.fromkeys(cited))
                at = Citation(on=edition.local_date, story=story.id, title=story.title, texts=quoted)
                citations.setdefault(key, at)
        listed = (brief for story in edition.stories for brief in story.related)
        for brief in (*listed, *edition.briefs):
            at = Citation(on=edition.local_date, story=brief.id, title=brief.title)
            for key in brief.article_ids:
                citations.setdefault(key, at)
    return citations


def find_corrections(
    citations: Mapping[str, Citation],
    articles: Mapping[str, Article],
    revisions: Mapping[str, Sequence[Revision]],
    *,
    since: datetime,
) -> tuple[Correction, ...]:
    """
    Return the changes to cited articles: retractions, then deleted pages, headlines and numbers; each by time.

    Each stored article is compared with the last revision of its page. In the text, only changed numbers of a sentence,
    and sentences that were cited verbatim, count. Changes found before `since` have been shown already.
    """
    corrections: list[Correction] = []
    for key, citation in citations.items():
        known = revisions.get(key, ())
        article = articles.get(key)
        if article is None or not known or known[-1].at < since:
            continue
        # Changes that an earlier revision already had.
        earlier = [revision for revision in known if revision.at < since][-1:]
        told = {(c.kind, c.after) for last in earlier for c in _article_corrections(article, last, NO_CITATION)}
        new = (c for c in _article_corrections(article, known[-1], citation) if (c.kind, c.after) not in told)
        corrections += islice(new, MAX_PER_ARTICLE)
    order = {"retracted": 0, "gone": 1, "headline": 2, "figures": 3}
    corrections.sort(key=lambda c: (order.get(c.kind, 9), c.noticed_at, c.article_id))
    return tuple(corrections[:MAX_CORRECTIONS])


def _article_corrections(article: Article, last: Revision, citation: Citation) -> Iterator[Correction]:
    """Yield the differences between an article and its last revision that a reader should know."""
    correction = partial(
        Correction,
        article_id=article.id,
        outlet=article.outlet,
        url=article.url,
        language=article.language,
        cited_on=citation.on,
        story=citation.story,
        title=citation.title,
        noticed_at=last.at,
    )
    cited = next(iter(citation.texts), article.title)
    if last.kind == "gone":
        yield correction(kind="gone", before=cited, after="")
        return
    new = _sentences(last.title, last.text, article.language)
    retracted = next((text for text in new if RETRACTED.search(text)), None)
    if retracted and not RETRACTED.search(f"{article.title}\n{article.text}"):
        yield correction(kind="retracted", before=cited, after=retracted)
        return
    if last.title and tokens(last.title) != tokens(article.title) and _share(article.title, last.title, article) < 1:
        yield correction(kind="headline", before=article.title, after=last.title)
    for kind, before, after in _sentence_changes(article, last, new, citation.texts):
        yield correction(kind=kind, before=before, after=after)


def _sentence_changes(
    article: Article, revision: Revision, revised: Sequence[str], quoted: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """
    Yield (kind, before, after) for each sentence that a revision of an article changed.

    Cited ones come first, then others with changed numbers. `revised` are the sentences of the revision.
    """
    old = _sentences("", article.text[:CORRECTION_CHARS], article.language)
    kept = [text for text in old if text in revision.text]
    if len(kept) < MIN_KEPT * len(old):
        return  # a different text: single sentences cannot be compared
    lost = sorted((text for text in old if text not in revision.text), key=lambda text: not _is_in(text, quoted))
    for text in lost:
        after = max(revised, key=lambda other: _share(text, other, article), default="")
        alike = _share(text, after, article) if after else 0.0
        if (
            alike >= MIN_ALIKE
            and significant_numbers(text) != significant_numbers(after)
            and _digits(text) != _digits(after)
        ):
            yield "figures", text, after
        elif _is_in(text, quoted) and alike < MAX_REWORDED:
            yield "text", text, after if alike >= MIN_ALIKE else ""


def _is_in(text: str, quoted: Collection[str]) -> bool:
    return any(quote in text or text in quote for quote in quoted)


def _sentences(title: str, text: str, language: str) -> list[str]:
    texts = [text[start:end] for start, end in sentences(text[:CORRECTION_CHARS], language)]
    return [title, *texts] if title else texts


def _share(one: str, other: str, article: Article) -> float:
    first, second = set(stems(one, article.language)), set(stems(other, article.language))
    return len(first & second) / max(1, len(first | second))


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def apply_revisions(articles: Sequence[Article], revisions: Mapping[str, Sequence[Revision]]) -> tuple[Article, ...]:
    """Return articles with the latest title and text of their pages; those whose page is gone are left out."""
    latest = {key: known[-1] for key, known in revisions.items() if known}
    pairs = ((article, latest.get(article.id)) for article in articles)
    return tuple(
        replace(article, title=last.title or article.title, text=last.text or article.text) if last else article
        for article, last in pairs
        if last is None or last.kind != "gone"
    )


def changed_pages(revisions: Mapping[str, Sequence[Revision]]) -> dict[str, datetime]:
    """Return when the page of each changed article was last found changed."""
    return {key: known[-1].at for key, known in revisions.items() if known and known[-1].kind == "changed"}


def pages_to_recheck(edition: Edition) -> dict[str, int]:
    """Return the articles that an edition cites, by id, with the number of rechecks of their pages: 3 or 1."""
    wanted: dict[str, int] = {}
    for brief in (*edition.briefs, *(brief for story in edition.stories for brief in story.related)):
        wanted |= dict.fromkeys(brief.article_ids[:1], 1)
    for story in edition.stories:
        wanted |= {mention.article_id: 1 for mention in story.mentions[:NAMED_SOURCES]}
    for story in edition.stories:
        wanted |= {sentence.article_id: 3 for sentence in story.quoted}
        wanted |= {mention.article_id: 3 for mention in story.mentions if mention.url == story.url}
    wanted |= {event.last_said.article_id: 3 for event in edition.coming_up}
    return wanted | {line.article_id: 3 for line in edition.at_a_glance}
