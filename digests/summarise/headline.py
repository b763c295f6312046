"""The headline of a story: the title of one of its reports, as that report has it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from digests.analysis.select import display_length
from digests.model import Story
from digests.summarise.agreement import Agreement, total_support
from digests.summarise.lead import reports_by_language
from digests.summarise.readable import FIRST, words_for_language
from watcher.model import Article
from watcher.text.words import fold, stems

MIN_WIDTH, MAX_WIDTH = 25, 110  # width of a headline that reads well
SEPARATORS = "|–—-•·:"


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline, without the outlet's name at its end, and the article whose title it is."""

    text: str
    article: Article


def choose_headline(
    story: Story, articles: Mapping[str, Article], agreed: Agreement, *, language: str
) -> Headline | None:
    """
    Return the title that best covers what the reports agree on: one in the digest's language if there is one, else in
    another. None if no article has a title.

    Questions, teasers, live blogs and titles too short or too long come last.
    """
    present = [articles[key] for key in story.articles if key in articles and articles[key].title.strip()]
    if not present:
        return None
    for among, _ in reports_by_language(story, articles, language):
        titled = [Headline(_without_outlet(article), article) for article in among if article.title.strip()]
        if titled:
            return max(titled, key=lambda h: (_score(h, agreed), -h.article.published_at.timestamp(), h.article.id))
    same = [article for article in present if article.language == language] or present
    return Headline(_without_outlet(same[0]), same[0])


def is_informative(title: str, language: str) -> bool:
    """Whether a title says what happened, rather than asks, teases or breaks off."""
    if any(mark in title for mark in "?？؟") or title.rstrip().endswith(("…", "...", ":")):
        return False
    found = [word.replace("’", "'") for word in FIRST.findall(title)]
    low = [word.lower() for word in found[:2]]
    teases = words_for_language("tease", language)
    if low and (low[0] in teases or "-".join(low) in teases):
        return False
    return not words_for_language("person", language) & set(found)


def _without_outlet(article: Article) -> str:
    """Return the title without a separator and the outlet's name at its end."""
    title = article.title.strip()
    at = max(title.rfind(mark) for mark in SEPARATORS)
    if at <= 0 or display_length(title[:at].rstrip()) < MIN_WIDTH / 2:
        return title
    tail = re.sub(r"\W", "", fold(title[at + 1 :]))
    outlet = re.sub(r"\W", "", fold(article.outlet))
    site = article.host.removeprefix("www.").split(":")[0]
    if tail and tail in {outlet, re.sub(r"\W", "", site), site.split(".")[0]}:
        return title[:at].rstrip(f"{SEPARATORS} ")
    return title


def _score(candidate: Headline, agreed: Agreement) -> float:
    """Return how well a title covers what the reports agree on, lowered for a poor form."""
    title, article = candidate.text, candidate.article
    about = set(stems(title, article.language))
    score = total_support(agreed, about, article.language) / math.sqrt(max(5, len(about)))
    wide = display_length(title)
    if wide < MIN_WIDTH or len(about) < 3:
        score *= 0.4
    elif wide > MAX_WIDTH:
        score *= max(0.4, MAX_WIDTH / wide)
    if not is_informative(title, article.language):
        score *= 0.35
    if title.isupper() and len(title) > MIN_WIDTH:
        score *= 0.6
    if title[0] in "\"“„«‘'":
        score *= 0.8
    return score
