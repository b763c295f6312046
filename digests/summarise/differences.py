"""What differs between the reports of a story: figures for one quantity, and headlines on another aspect."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice, permutations

from digests.analysis.numbers import NUMBER_IN_TEXT, normalize
from digests.analysis.story_coverage import Coverage
from digests.model.edition_story import Detail, Difference, Perspective, Sentence
from digests.model.story import Story
from digests.summarise.agreement import local_angle_test
from digests.summarise.figures import (
    CUMULATIVE,
    FIGURE_TEXT_CHARS,
    INJURED,
    KILLED,
    MIN_APART,
    MIN_ROUNDED,
    Figure,
    figures_in_text,
    has_quantities,
    have_same_places,
    lead_sentences,
    stated_figures,
)
from digests.summarise.headline import Headline, is_informative
from digests.summarise.lead import make_sentence
from digests.summarise.openings import mention_report
from watcher.model import Article
from watcher.text.number_words import parse_number_words
from watcher.text.words import stems

MAX_COMPARED_REPORTS = 40  # independent reports that are compared
MIN_FIGURE_REPORTS = 3  # independent reports from which on one of them can be alone with a figure
MIN_ON_EVENT = 2  # words of a title that the headline has
MAX_SHOWN = 3  # quantities
MAX_ASPECTS = 3  # headlines
MIN_OTHERS = 2  # reports in the language of a headline, that lack its words
ROUNDED = 0.05  # larger figures that are closer are one, rounded
MIN_NEW, MIN_NEW_SHARE = 3, 0.6  # words of a headline that no other report has: it tells of another aspect,
MIN_NEW_IN_LEAD = 0.3  # and does not only put it in other words, if the report's first sentence too has such words
SAME_ASPECT = 0.3  # share of the words that two headlines of one aspect have in common


def find_differences(
    articles: Mapping[str, Article],
    covered: Coverage,
    headline: Headline,
    can_read: Callable[[str], bool],
    *,
    changed: Collection[str] = (),
) -> tuple[Difference, ...]:
    """
    Return the quantities with different figures in a story's reports, then those that one report alone has.

    A report in the language of the headline whose title has less than `MIN_ON_EVENT` of its words may be on another
    event, and is not compared. A quantity in `changed` is left out: its figures differ because one is newer. So is a
    toll that one early report alone has.
    """
    origins = (articles[key] for key in covered.origins)
    reports = [article for article in origins if article.outlet in covered.independent and _is_on(headline, article)]
    reports = reports[:MAX_COMPARED_REPORTS]
    by_quantity: dict[str, list[Figure]] = {}
    for article in reports:
        for quantity, figure in figures_in_text(article).items():
            if quantity not in changed:
                by_quantity.setdefault(quantity, []).append(figure)
    if not by_quantity:
        return ()
    numbers = {article.id: numbers_in(f"{article.title} {article.text}", article.language) for article in reports}
    can_be_alone = len(reports) >= MIN_FIGURE_REPORTS and all(map(has_quantities, {a.language for a in reports}))
    stated = Counter(figure.quantity for article in reports for figure in stated_figures(article))
    found = []
    for quantity, figures in by_quantity.items():
        values = Counter(figure.value for figure in figures)
        figures.sort(key=lambda f: (-values[f.value], f.value, f.sentence.published_at))
        readable = next((figure for figure in figures if can_read(figure.sentence.language)), None)
        disagrees = len(values) > 1 and _all_apart(figures, numbers)
        is_alone = can_be_alone and len(figures) == 1 == sum(figures[0].value in each for each in numbers.values())
        is_alone = is_alone and stated[quantity] <= 1  # another report may have the quantity in its title
        # A toll that one report has is a newer or an older one than others have in other words.
        is_alone = is_alone and quantity not in (KILLED, INJURED)
        is_alone = is_alone and not (quantity in CUMULATIVE and _is_early(figures[0], reports))
        if readable and (disagrees or is_alone):
            figures.sort(key=lambda f: f.value != readable.value)
            groups = [[f for f in figures if f.value == value] for value in dict.fromkeys(f.value for f in figures)]
            details = tuple(_detail(group, readable) for group in groups)
            found.append(Difference(details=details, disagrees=disagrees))
    return tuple(sorted(found, key=lambda difference: not difference.disagrees)[:MAX_SHOWN])


def _is_on(headline: Headline, article: Article) -> bool:
    """Whether a report is on the event of a headline, as far as their titles show it."""
    common = headline.stems.intersection(stems(article.title, article.language))
    return article.language != headline.article.language or len(common) >= MIN_ON_EVENT


def _is_early(figure: Figure, reports: Sequence[Article]) -> bool:
    """Whether most reports came after that of a figure: it may be from a moment of which nobody speaks any more."""
    later = sum(article.published_at > figure.sentence.published_at for article in reports)
    return later > len(reports) / 2


def _detail(group: Sequence[Figure], readable: Figure) -> Detail:
    """Return one of the figures; in words for the one that is shown first, else the number alone."""
    is_first = readable in group
    figure = readable if is_first else group[0]
    same = sorted(group, key=lambda f: f is not figure)
    return Detail(text=figure.phrase if is_first else figure.number, sentences=tuple(f.sentence for f in same))


def _all_apart(figures: Sequence[Figure], numbers: Mapping[str, set[float]]) -> bool:
    """Whether each two different figures exclude each other, and no report has the other's figure anywhere too."""
    for one, other in permutations(figures, 2):
        low, high = sorted((one.value, other.value))
        if low == high:
            continue
        near = MIN_APART.get(one.quantity, ROUNDED * high if high >= MIN_ROUNDED else 0.0)
        if high - low < near or (one.is_least and one.value == low) or (other.is_least and other.value == low):
            return False
        if other.value in numbers[one.sentence.article_id] or not have_same_places(one, other):
            return False
    return True


def numbers_in(text: str, language: str) -> set[float]:
    """Return the values of all numbers of a text, in figures or in words."""
    spelled = map(float, parse_number_words(text, language))
    return {float(normalize(number)) for number in NUMBER_IN_TEXT.findall(text)}.union(spelled)


def find_aspects(
    story: Story,
    articles: Mapping[str, Article],
    covered: Coverage,
    headline: Headline,
    can_read: Callable[[str], bool],
    *,
    is_old: Callable[[Sentence], bool] = lambda _: False,
    quoted: Collection[Sentence] = (),
) -> tuple[Perspective, ...]:
    """
    Return up to `MAX_ASPECTS` headlines, of outlets or countries, with an aspect that few other reports tell of.

    They are of the later half of the reports: what the first ones have alone is rather overtaken than another angle.

    `is_old`: a title with a figure that a newer one replaces is another state, no aspect. `quoted`: the sentences that
    tell the story; what they say, and the reports that they are from, are no other angle.
    """
    origins = (articles[key] for key in covered.origins)
    reports = [article for article in origins if article.outlet in covered.independent][:MAX_COMPARED_REPORTS]
    agencies = {key: group.agency for group in story.wire_groups for key in group.articles}
    countries = Counter(article.country for article in reports)
    half = sorted(article.published_at for article in reports)[len(reports) // 2 :]
    is_local_angle = local_angle_test(story, {key: each for key, each in articles.items() if each.text})
    about = {article.id: set(stems(article.title, article.language)) for article in reports}
    leads = {a.id: {stem for s in islice(lead_sentences(a), 1) for stem in stems(s.text, a.language)} for a in reports}
    said = {a.id: about[a.id].union(stems(a.text[:FIGURE_TEXT_CHARS], a.language)) for a in reports}
    tellers = {sentence.article_id for sentence in quoted}
    found: list[tuple[float, Article, list[Article]]] = []
    for article in reports:
        own = about[article.id]
        alike = [a for a in reports if a.language == article.language and a.outlet != article.outlet]
        same = [a for a in alike if a.country == article.country and is_one_aspect(own, about[a.id])]
        others = [a for a in alike if a not in same]
        new, lead = (words.difference(*(said[a.id] for a in others)) for words in (own, leads[article.id]))
        is_new = len(others) >= MIN_OTHERS and len(new) >= max(MIN_NEW, MIN_NEW_SHARE * len(own))
        if (
            article.published_at >= half[0]
            and article.outlet != headline.article.outlet
            and article.id not in tellers
            and can_read(article.language)
            and is_informative(article.title, article.language)
            and not is_old(make_sentence(article, 0, article.title))
            and len(lead) >= MIN_NEW_IN_LEAD * len(leads[article.id])
            and (is_new or is_local_angle(article))
        ):
            found.append((len(new) / max(1, len(own)), article, same))
    chosen: list[Perspective] = []
    told = [set(headline.stems), *(set(stems(sentence.text, sentence.language)) for sentence in quoted)]
    for _, article, same in sorted(found, key=lambda each: (-each[0], each[1].published_at, each[1].id)):
        if len(chosen) == MAX_ASPECTS or any(is_one_aspect(about[article.id], each) for each in told):
            continue
        told.append(about[article.id])
        mention = mention_report(article, agency=agencies.get(article.id), shows_title=True)
        outlets = len({article.outlet, *(each.outlet for each in same)})
        # What most outlets of a story's country lead with is no angle of that country.
        is_countrys = outlets > 1 and countries[article.country] <= len(reports) / 2
        group, name = ("country", article.country) if is_countrys and article.country else ("outlet", article.outlet)
        chosen.append(Perspective(group=group, name=name, outlets=outlets, mention=mention))
    return tuple(chosen)


def is_one_aspect(one: Collection[str], other: Collection[str]) -> bool:
    """Whether two headlines, given by their stems, tell of the same aspect of an event."""
    return len(set(one) & set(other)) >= SAME_ASPECT * min(len(one), len(other)) > 0
