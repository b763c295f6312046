"""The headline of a story: the title of one of its reports, and further ones of a story without a sentence."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from digests.analysis.dates_ahead import has_word
from digests.analysis.select import display_length, is_flagged
from digests.analysis.story_coverage import measure_coverage
from digests.analysis.titles import title_without_outlet
from digests.model.story import Story
from digests.summarise import readable
from digests.summarise.agreement import Agreement, local_angle_test, total_support
from digests.summarise.lead import MAX_SCORED_REPORTS, MIN_TITLE_WIDTH, reports_by_language
from digests.summarise.repetition import find_figures, repeats_headline
from watcher.clean.agencies import agency_of_site
from watcher.model import Article
from watcher.text.page_kind import NEWS, WITHHELD, is_address_of, is_title_of
from watcher.text.words import stems

MIN_LATEST = 3  # titles, a third of all, that can show that a story has moved
LEAST_SUPPORT = 0.01  # of a title: with no support at all, titles are compared by their form
NEARLY_AS_NEAR = 0.9  # of the best title's score, from which on a title is as good
MAX_HEADLINES_TOLD = 3  # that tell a story without a sentence
MIN_HEADLINE_NEW_WORDS = 2  # that each must add to those above it
MIN_BARE_OUTLETS = 3  # that have such a story by headline alone
# For each outlet with a text: from then on its headline may be the odd one. Of 160 stories on nine days two get another
# headline, both a better one.
BARE_SHARE = 3
# "Leader is dead: president", "Three soldiers killed - ministry": others may know by then that it is so.
CLAIMANT = re.compile(r"[\w’'”\"»]\s?(?::|\s[–—-])\s\w[\w.’'-]*(?:\s\w[\w.’'-]*){0,2}$")
UNSETTLED = ("ahead", "doubt")  # words of dates_ahead.toml: "will", "is set to", "may", "if"
UNSETTLED_FACTOR = 0.85  # for a title that ends in who says so, or tells what is planned or uncertain
FIGURE_FACTOR = 1.1  # for a title with a number. Of 540 stories six get another headline, which editors prefer
QUOTED_FACTOR = 0.8  # for a title that begins with somebody's words
MAX_TITLE_WIDTH = 110  # of a headline that reads well
PART_END = re.compile(r": | [–—-] ")  # between the parts of a title
MIN_ASKING_WORDS = 3  # of a later part, from which on it may ask or tease: "- video" is a label


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline, without the outlet's name at its end, and the article whose title it is."""

    text: str
    article: Article

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(stems(self.text, self.article.language))


def choose_headline(
    story: Story, articles: Mapping[str, Article], agreed: Agreement, *, languages: Sequence[str]
) -> Headline | None:
    """
    Return the title that has most in common with those of the other reports and what they agree on, in the first of
    `languages`, those that can be shown to the reader, that has one, else in another; of several the freshest with an
    agency's text, else the freshest. If the latest reports agree on something else than those before, it is one of
    theirs. None if no article has a title.

    A local angle is chosen only if there is nothing else, whatever its language. Analyses, questions, teasers and
    titles too short or too long come last. A headline without a text is chosen only if no report with a text has one
    in `languages` that says what happened, or if most outlets have a headline alone, and less than half of the words of
    the others' is in theirs.
    """
    texts = {key: article for key, article in articles.items() if not article.is_headline_only}
    best = _choose_title(story, texts, agreed, languages)
    is_clear = (
        best is not None and best.article.language in languages and is_informative(best.text, best.article.language)
    )
    if is_clear and not _is_mostly_bare(articles.values(), languages):
        return best
    other = _choose_title(story, {key: each for key, each in articles.items() if key not in texts}, agreed, languages)
    if best is None or other is None:
        return best or other
    is_odd = is_clear and 2 * len(best.stems & other.stems) < len(best.stems)
    return other if is_odd or _tells_more(other, best, languages) else best


def _is_mostly_bare(articles: Iterable[Article], languages: Sequence[str]) -> bool:
    """Whether most outlets whose titles tell a story in one of `languages` have it by headline alone."""
    outlets: dict[bool, set[str]] = {True: set(), False: set()}
    for article in articles:
        if article.language in languages and is_informative(article.title, article.language):
            outlets[article.is_headline_only].add(article.outlet)
    return len(outlets[True]) >= max(MIN_BARE_OUTLETS, BARE_SHARE * len(outlets[False]))


def has_title_in(languages: Sequence[str], story: Story, articles: Mapping[str, Article]) -> bool:
    """
    Whether a report with a text has a title in one of `languages` that is no local angle.

    `choose_headline`, given these languages, then returns a title in one of them.
    """
    texts = {key: article for key, article in articles.items() if not article.is_headline_only}
    is_local_angle, by_language = local_angle_test(story, texts), reports_by_language(story, texts, languages)
    return any(
        article.title.strip() and article.kind not in WITHHELD and not is_local_angle(article)
        for language in languages
        for article in by_language[language]
    )


def _tells_more(one: Headline, other: Headline, languages: Sequence[str]) -> bool:
    """Whether a headline can be shown where the other cannot, or says what happened where the other only asks."""
    value, least = (
        (each.article.language in languages, is_informative(each.text, each.article.language)) for each in (one, other)
    )
    return value > least


def _choose_title(
    story: Story, articles: Mapping[str, Article], agreed: Agreement, languages: Sequence[str]
) -> Headline | None:
    """Return the title of a story, the one nearest to what its reports agree on; None if no report has a title."""
    present = [articles[key] for key in story.articles if key in articles and articles[key].title.strip()]
    present = [article for article in present if article.kind not in WITHHELD]
    if not present:
        return None
    is_local_angle = local_angle_test(story, articles)
    rest: list[Headline] = []
    for language, among in reports_by_language(story, articles, languages).items():
        if not any(is_informative(article.title, language) for article in among):
            # An origin whose title only asks gives way to a copy of its text whose title tells.
            among = [article for article in present if article.language == language and not is_flagged(article)]
        titled = [Headline(title_without_outlet(article), article) for article in among if article.title.strip()]
        on_event = [headline for headline in titled if not is_local_angle(headline.article)]
        news = [each for each in on_event if tells_news(each.article)]
        if on_event:
            return _nearest_title(news or on_event, agreed)
        rest += sorted(titled, key=lambda h: (-_score(h, agreed), h.article.published_at, h.article.id))
    if rest:
        return rest[0]
    same = [article for article in present if article.language in languages] or present
    return Headline(title_without_outlet(same[0]), same[0])


def tells_news(article: Article) -> bool:
    """
    Whether an article is news with a title that says what happened, and keeps it: that of a live page is another one in
    an hour.
    """
    is_kept = article.kind == NEWS and not is_address_of("live_page", article.url)
    return is_kept and is_informative(title_without_outlet(article), article.language)


def _nearest_title(titled: Sequence[Headline], agreed: Agreement) -> Headline:
    """
    Return the title of one language that has most in common with the others; of those nearly as near that have as good
    a form the freshest with an agency's text and the same figures, else the freshest.

    If the latest reports agree among themselves more than all do, the story has moved: theirs count alone.
    """
    ordered = sorted(titled, key=lambda h: (h.article.published_at, h.article.id))
    latest = ordered[-(len(ordered) // 3) :]
    if len(latest) >= MIN_LATEST and _common_share(latest, agreed) >= _common_share(ordered, agreed):
        ordered = latest
    counts = Counter(stem for headline in ordered for stem in headline.stems)
    shares = {stem: count / len(ordered) for stem, count in counts.items()}
    scored = [(_score(headline, agreed, shares), _rate_form(headline), headline) for headline in ordered]
    best, form, _ = max(scored, key=lambda row: row[:2])
    near = [each for score, rate, each in reversed(scored) if score >= NEARLY_AS_NEAR * best and rate >= form]
    # Papers retell what an agency reports. Of 1,137 stories this changes ten: five are better, one is worse.
    wired = (each for each in near if each.article.agency or agency_of_site(each.article.host))
    return next((each for each in wired if not _differ_in_figures(each, near[0])), near[0])


def _differ_in_figures(one: Headline, other: Headline) -> bool:
    """Whether each of two titles has a figure that the other lacks: they may be of two states of a story."""
    first, second = (find_figures(each.text, each.article.language) for each in (one, other))
    return bool(first - second and second - first)


def _common_share(titled: Sequence[Headline], agreed: Agreement) -> float:
    """Return the share of a title's words that another one has, on average, each weighted by its support."""
    language = titled[0].article.language
    total = common = 0.0
    for one, other in permutations(titled[-MAX_SCORED_REPORTS:], 2):
        total += total_support(agreed, one.stems, language)
        common += total_support(agreed, one.stems & other.stems, language)
    return common / total if total else 0.0


def choose_headlines(
    story: Story, articles: Mapping[str, Article], headline: Headline, can_read: Callable[[str], bool]
) -> tuple[Article, ...]:
    """
    Return up to `MAX_HEADLINES_TOLD` articles whose headlines tell a story beside `headline`, in time order: the latest
    that the reader can read, each of another outlet and with something that the others do not say; none if fewer than
    `MIN_BARE_OUTLETS` outlets have it by headline alone.
    """
    covered = measure_coverage(story, articles)
    if len(covered.headline_only) < MIN_BARE_OUTLETS:
        return ()
    chosen: list[Article] = []
    outlets, said = {headline.article.outlet}, set(headline.stems)
    shown = [(headline.text, headline.article.language)]
    for key in reversed(story.articles):
        article = articles.get(key)
        if article is None or is_flagged(article) or article.outlet in outlets or not can_read(article.language):
            continue
        title = title_without_outlet(article)
        about = set(stems(title, article.language))
        if not is_informative(title, article.language) or len(about - said) < MIN_HEADLINE_NEW_WORDS:
            continue
        if any(repeats_headline(title, article.language, *above) for above in shown):
            continue
        outlets.add(article.outlet)
        said |= about
        shown.append((title, article.language))
        chosen.append(article)
    return tuple(reversed(chosen[:MAX_HEADLINES_TOLD]))


def is_informative(title: str, language: str) -> bool:
    """Whether a title says what happened, rather than asks, teases, explains, breaks off or says who called whom."""
    if any(mark in title for mark in "?？؟") or title.rstrip().endswith(":"):
        return False
    if is_title_of("analysis", title) or is_title_of("protocol", title):
        return False
    if readable.ELLIPSIS_END.search(title.rstrip()) or not readable.is_balanced(title):
        return False
    if _teases(title, language) or any(_asks(part, language) for part in PART_END.split(title)[1:]):
        return False
    return not readable.words_for_language("person", language) & set(_first_words(title))


def _teases(text: str, language: str) -> bool:
    low = [word.lower() for word in _first_words(text)[:2]]
    teases = readable.words_for_language("tease", language)
    return bool(low) and (low[0] in teases or "-".join(low) in teases)


def _asks(part: str, language: str) -> bool:
    """Whether what follows a colon or dash of a title begins as a teaser does: "Gas leak: how it kills if inhaled"."""
    words = _first_words(part)
    is_said = part.startswith(tuple(readable.OPENING_QUOTE)) or words[:1] == ["WHO"]
    return len(words) >= MIN_ASKING_WORDS and not is_said and _teases(part, language)


def _first_words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in readable.FIRST.findall(text)]


def _rate_form(candidate: Headline) -> float:
    """Return a factor: 1 for a title neither short nor long that tells what happened, not who says so, else less."""
    title, wide = candidate.text, display_length(candidate.text)
    factor = 1.0
    if wide < MIN_TITLE_WIDTH or len(candidate.stems) < 3:
        factor = 0.4
    elif wide > MAX_TITLE_WIDTH:
        factor = max(0.4, MAX_TITLE_WIDTH / wide)
    if not is_informative(title, candidate.article.language):
        factor *= 0.35
    if title.isupper() and len(title) > MIN_TITLE_WIDTH:
        factor *= 0.6
    if title[0] in "\"“„«‘'":
        factor *= QUOTED_FACTOR
    if CLAIMANT.search(title) or any(has_word(name, title, candidate.article.language) for name in UNSETTLED):
        factor *= UNSETTLED_FACTOR
    return factor


def _score(candidate: Headline, agreed: Agreement, shares: Mapping[str, float] | None = None) -> float:
    """
    Return how well a title covers what the reports agree on, lowered for a poor form, raised for a figure.

    `shares`: of the titles that have each stem. A word counts by it and by its support.
    """
    article, about = candidate.article, candidate.stems
    weights = agreed.get(article.language, {})
    total = sum(weights.get(stem, 0.0) * (shares[stem] if shares else 1.0) for stem in sorted(about))
    figure = FIGURE_FACTOR if find_figures(candidate.text, article.language) else 1.0
    return (total + LEAST_SUPPORT) / math.sqrt(max(5, len(about))) * figure * _rate_form(candidate)
