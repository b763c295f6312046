"""Local angles: titles that lead with an outlet's own country or town, where other reports tell the event itself."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache

from digests.analysis.country_names import languages_in
from digests.analysis.gazetteer import countries_in
from digests.model import Story
from watcher.features.extract import capitalized_words
from watcher.model import Article
from watcher.text.words import fold, words

READ_CHARS, FIRST_CHARS = 1500, 200  # of a text: for what it names; for where it is, which its first sentence says
MAX_REPORTS = 12  # of other texts, that a title is compared with
MAX_SHARE = 1 / 3  # of the other reports that may name the outlet's country, if that country is a local angle
MIN_OTHERS, MIN_CHARS = 2, 30  # reports that must lack a name; of the texts of these, beyond what a title has
SAME_NAME = 0.7  # ratio of `get_close_matches` from which on two spellings may be one name: "Azores", "Açores"


def local_angle_test(story: Story, articles: Mapping[str, Article]) -> Callable[[Article], bool]:
    """
    Return a function that says whether the title of an article of `story` is a local angle.

    It is one if it names the outlet's own country, or a place in it, which few of the reports of other outlets name at
    all, while most of them name another country; or if its first name is one that none of them has.
    """
    origins = [next((key for key in group.articles if key in articles), "") for group in story.wire_groups]
    own_origin = {key: origins[n] for n, group in enumerate(story.wire_groups) for key in group.articles}

    @cache
    def countries(key: str, chars: int) -> frozenset[str]:
        return countries_in(f"{articles[key].title}\n{articles[key].text[:chars]}", articles[key].language)

    def is_local_angle(article: Article) -> bool:
        others = [articles[key] for key in origins if key and key != own_origin[article.id]][:MAX_REPORTS]
        foreign = [each for each in others if each.country != article.country]
        here = {article.country}
        if foreign and here <= countries(article.id, 0) and len(foreign) * 2 >= len(others):
            concerned = sum(here <= countries(each.id, READ_CHARS) for each in foreign)
            abroad = sum(bool(countries(each.id, FIRST_CHARS) - here) for each in foreign)
            if concerned <= MAX_SHARE * len(foreign) and abroad * 2 >= len(foreign):
                return True
        whole = [each for each in others if len(each.text) > len(each.title) + MIN_CHARS]
        name = _first_name(article) if len(whole) >= MIN_OTHERS else None
        texts = (f"{each.title}\n{each.text[:READ_CHARS]}" for each in whole)
        known = {other for text in texts for other, _ in capitalized_words(text) if other.isascii()} if name else ()
        return name is not None and bool(known) and not get_close_matches(name, known, n=1, cutoff=SAME_NAME)

    return is_local_angle


def _first_name(article: Article) -> str | None:
    """
    Return the first name in a title, if it is one word in its first half, and no known place.

    Other languages spell known places in another way, and translate names of several words ("Silk Road Cup").
    """
    if article.language in languages_in("capital_nouns"):
        return None
    inside = {name for name, is_inside in capitalized_words(article.text[:READ_CHARS]) if is_inside}
    small = {fold(word) for word in words(article.text[:READ_CHARS]) if word[0].islower()}
    found = words(article.title)
    names = [next((name for name, _ in capitalized_words(word) if name not in small), "") for word in found]
    at = next((at for at, name in enumerate(names) if name in inside), len(names))
    if at >= max(1, len(found) // 2) or at == len(names) or any(names[max(0, at - 1) : at] + names[at + 1 : at + 2]):
        return None
    is_place = countries_in(" ".join(found[max(0, at - 1) : at + 2]), article.language)
    return None if is_place or not names[at].isascii() else names[at]
