"""The headline of a story's later report: what has happened since the reports that tell the story."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from digests.analysis.select import is_flagged
from digests.analysis.titles import title_without_outlet
from digests.summarise import readable
from digests.summarise.agreement import DocumentFrequencies, rarity
from digests.summarise.figures import stated_figures
from digests.summarise.headline import CLAIMANT, QUOTED_FACTOR, Headline, is_informative, rate_form
from digests.summarise.repetition import MIN_REPETITION, compare_numbers, repeats_headline, restates_headline
from watcher.model import Article
from watcher.text.page_kind import is_address_of
from watcher.text.words import stems

MIN_LATER = timedelta(minutes=30)  # of the report after those that tell the story
# Words of its headline that they have, and that they do not have before it says what had happened until then.
MIN_COMMON, MIN_NEW = 2, 3
MIN_CONFIRMED = 2  # of these new words, that another report has too,
MIN_RARITY = 0.5  # each of which at most a tenth of the articles use


def choose_latest(
    reports: Iterable[Article],
    shown: Sequence[tuple[str, str]],
    can_read: Callable[[str], bool],
    frequencies: DocumentFrequencies,
    *,
    since: datetime,
) -> Article | None:
    """
    Return the newest report whose headline tells something later than what tells a story; None if none does.

    It was published `MIN_LATER` or more after `since`, is on what `shown` says (texts with their languages: the
    headline first), and adds to it: a number, or what another of the `reports` says too, and none said by `since`.
    Headlines that say again what happened, in other words, are more frequent than news.
    """
    told: defaultdict[str, str] = defaultdict(str)  # by language
    for text, language in shown:
        told[language] += f"{text}\n"
    ordered = sorted(reports, key=lambda each: (each.published_at, each.id), reverse=True)
    heard: defaultdict[str, str] = defaultdict(str)
    for each in ordered:
        if each.published_at <= since:
            heard[each.language] += f"{each.title}\n{each.text}\n"
    for article in ordered:
        if article.published_at < since + MIN_LATER:
            return None
        title, language = title_without_outlet(article), article.language
        if (
            is_flagged(article)
            or is_address_of("live_page", article.url)
            or not (can_read(language) and is_informative(title, language))
        ):
            continue
        if rate_form(Headline(title, article)) < QUOTED_FACTOR:
            continue
        known = set(stems(told[language], language))
        new = set(stems(_before_setting(title, language), language)) - known
        if len(new) < MIN_NEW or len(known.intersection(stems(title, language))) < MIN_COMMON:
            continue
        if any(repeats_headline(title, language, *above) for above in shown):
            continue
        has_number, adds_number = compare_numbers(title, told[language], language)
        if CLAIMANT.search(title) and not adds_number:
            continue  # who says it says it again
        restates = any(restates_headline(title, language, *above) for above in shown)
        if restates and not (adds_number and any(figure.is_title for figure in stated_figures(article))):
            continue
        if has_number:
            is_later = adds_number and compare_numbers(title, heard[language], language)[1]
        else:
            is_later = _is_confirmed(article, new.difference(stems(heard[language], language)), ordered, frequencies)
        if is_later:
            return article
    return None


def _before_setting(title: str, language: str) -> str:
    """Return a title up to where it says what had happened before: "airport hit again", and not "after attacks"."""
    words = readable.words_for_language("setting", language)
    found = (match.start() for match in readable.FIRST.finditer(title) if match.start() and match.group() in words)
    return title[: next(found, len(title))]


def _is_confirmed(
    article: Article, new: set[str], reports: Iterable[Article], frequencies: DocumentFrequencies
) -> bool:
    """Whether the title of a report with other words has some of the words that are `new` in that of an article."""
    shares = frequencies.get(article.language, {})
    rare = {stem for stem in new if rarity(shares.get(stem, 0.0)) >= MIN_RARITY}
    about = set(stems(article.title, article.language))
    others = (set(stems(each.title, each.language)) for each in reports if each.language == article.language)
    return any(
        len(rare & other) >= MIN_CONFIRMED and len(about & other) < MIN_REPETITION * min(len(about), len(other))
        for other in others
    )
