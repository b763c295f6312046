"""The countries that a story is about: those that its reports name most, and first."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from digests.analysis.country_names import load_data
from digests.analysis.gazetteer import CountryMatch, load_gazetteer
from digests.analysis.select import is_flagged
from digests.analysis.significance import names_state
from digests.analysis.story_coverage import Coverage, measure_coverage
from digests.analysis.titles import title_without_outlet
from digests.model.story import Story
from watcher.model import Article

MAX_PLACE_REPORTS = 16  # that are searched
MAX_COUNTRIES = 3  # of a story
OPENING_CHARS, LEAD_CHARS = 200, 600  # of a text: the first sentence often says where it happened, else the next ones
TITLE, OPENING, LEAD, DATELINE = 2.0, 1.2, 0.6, 0.6  # weight of a name there
FIRST_COUNTRY_BONUS = 0.25  # added for the first country named
# The same, for the order of the countries that are chosen: who acts comes before whom it concerns. Of 600 stories of
# nine days 13 get another main country: nine are better, two worse.
FIRST_IN_ORDER = 0.75
COUNTRY, CITY = 1.0, 0.8  # weight of a country's name, and of a city in it or of who acts for it
SHARE_OF_FIRST = 0.45  # of the first country's weight that a further country needs
MIN_HOME_WEIGHT = 0.4  # weight per report that the country of most outlets needs
MIN_COUNTRY_WEIGHT = 1.0  # weight per report that the first country needs; else the story has no country
UNIONS = re.compile(load_data("grammar")["unions"]["all"])


def find_countries(story: Story, articles: Mapping[str, Article], covered: Coverage | None = None) -> tuple[str, ...]:
    """
    Return ISO codes of the countries that `story` is about, most named first; each report has the same weight.

    Those whose president or office is named are added: "Trump vetoes a resolution on Iran". Where no country is named
    enough, it is that of most outlets if their reports name it at all: at home, "Sydney" and "the health ministry" are
    enough. `covered`: the story's coverage by `articles`, if it is known already.
    """
    origins = [articles[key] for key in (covered or measure_coverage(story, articles)).origins]
    reports = ([a for a in origins if not is_flagged(a)] or origins)[:MAX_PLACE_REPORTS]
    found = [_find_matches(article) for article in reports]
    named, acting = (_mean_weights(_weigh(parts, actors=actors) for parts in found) for actors in (False, True))
    leading = _mean_weights(_weigh(parts, actors=True, bonus=FIRST_IN_ORDER) for parts in found)
    chosen = (*choose_countries(acting), *choose_countries(named))
    order = sorted(set(chosen), key=lambda code: (-leading[code], code))
    return tuple(order[:MAX_COUNTRIES]) or _choose_home(reports, acting)


def select_told(countries: Sequence[str], texts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the first of `countries`, and the others that one of `texts`, each with its language, names."""
    named = {match.code for text, language in texts for match in load_gazetteer(language).find_with_actors(text)}
    return (*countries[:1], *(code for code in countries[1:] if code in named))


def select_sure(countries: tuple[str, ...], reports: Sequence[Article]) -> tuple[str, ...]:
    """
    Return those of `countries` that a single report names in its title, or where its outlet is at home.

    What one text names first may be where a matter began ("a virus from China"). Of several reports all are returned.
    """
    if len(reports) != 1:
        return countries
    (report,) = reports
    named = load_gazetteer(report.language).find_with_actors(title_without_outlet(report))
    sure = {report.country, *(match.code for match in named)}
    return tuple(code for code in countries if code in sure)


def _mean_weights(reports: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean weight of each country in the reports of a story."""
    of_reports = list(reports)
    weights: dict[str, float] = defaultdict(float)
    for report in of_reports:
        for code, weight in report.items():
            weights[code] += weight / len(of_reports)
    return weights


def _choose_home(reports: Sequence[Article], weights: Mapping[str, float]) -> tuple[str, ...]:
    """
    Return the country of most outlets, if the reports name it and none more; else nothing.

    If all outlets are of one country, half of them may speak of "the prime minister" or "parliament" instead.
    """
    homes = Counter(article.country for article in reports if article.country)
    ((home, count),) = homes.most_common(1) or [("", 0)]
    if count < 2 or 2 * count <= len(reports) or weights.get(home, 0.0) < max(weights.values(), default=0.0):
        return ()
    openings = [(f"{each.title}\n{each.text[:OPENING_CHARS]}", each.language) for each in reports]
    ruled = sum(names_state(text, language) and not UNIONS.search(text) for text, language in openings)
    is_ruled = count == len(reports) and 2 * ruled >= count
    return (home,) if is_ruled or weights.get(home, 0.0) >= MIN_HOME_WEIGHT else ()


def choose_countries(weights: Mapping[str, float]) -> tuple[str, ...]:
    """Return the up to `MAX_COUNTRIES` countries whose weight is high enough, those with most first; may be empty."""
    order = sorted(weights, key=lambda code: (-weights[code], code))
    if not order or weights[order[0]] < MIN_COUNTRY_WEIGHT:
        return ()
    least = max(MIN_COUNTRY_WEIGHT, SHARE_OF_FIRST * weights[order[0]])
    return tuple(code for code in order[:MAX_COUNTRIES] if weights[code] >= least)


def country_weights(article: Article) -> dict[str, float]:
    """Return the weight of each country named in an article's title (not in the outlet's name), lead or dateline."""
    return _weigh(_find_matches(article), actors=True)


def _find_matches(article: Article) -> tuple[tuple[float, list[CountryMatch]], ...]:
    """Return (weight of a name there, the names of countries and of who acts for one) for each part of an article."""
    names = load_gazetteer(article.language)
    return (
        (TITLE, names.find_with_actors(title_without_outlet(article))),
        (OPENING, names.find_with_actors(article.text[:OPENING_CHARS])),
        (LEAD, names.find_with_actors(article.text[OPENING_CHARS:LEAD_CHARS])),
        (DATELINE, names.find_with_actors((article.dateline or "").title())),
    )


def _weigh(
    parts: Sequence[tuple[float, list[CountryMatch]]], *, actors: bool, bonus: float = FIRST_COUNTRY_BONUS
) -> dict[str, float]:
    """
    Return the weight of each country in the parts of an article; with `actors`, by who acts for it as well.

    `bonus` is added to the first country of each part.
    """
    parts = [(value, part if actors else [match for match in part if not match.is_actor]) for value, part in parts]
    certain = frozenset(match.code for _, part in parts for match in part if not match.is_ambiguous)
    weights: dict[str, float] = defaultdict(float)
    named: set[str] = set()
    for value, part in parts:
        named.update(match.code for match in part if match.code in certain and not match.is_actor)
        best: dict[str, float] = {}
        # Where a consulate stands is the place, if the same part says so: "U.S. consulate in Karachi".
        here = {match.code for match in part if match.code in certain and not match.is_abroad}
        for match in part:
            # "Washington ... Trump": who acts for a country adds nothing once it is named.
            is_known = match.is_actor and match.code in named
            if match.code in certain and not is_known and not (match.is_abroad and here - {match.code}):
                weight = CITY if match.is_city or match.is_actor else COUNTRY
                best[match.code] = max(best.get(match.code, 0.0), weight)
        for index, (code, weight) in enumerate(best.items()):
            weights[code] += value * (weight + (bonus if index == 0 else 0.0))
    return weights
