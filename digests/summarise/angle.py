"""Local angles: titles that lead with an outlet's own country or town, where other reports tell the event itself."""

from collections.abc import Collection, Mapping
from difflib import SequenceMatcher

from digests.analysis.country_names import languages_in
from digests.analysis.gazetteer import load_gazetteer
from digests.model import Story
from watcher.features.extract import capitalized_words
from watcher.model import Article
from watcher.text.words import fold, words

READ_CHARS, FIRST_CHARS = 1500, 200  # of a text: for what it names; for where it is, which its first sentence says
MAX_REPORTS = 12  # of other texts, that a title is compared with
MAX_SHARE = 1 / 3  # of the other reports that may name the outlet's country, if that country is a local angle
MIN_OTHERS, MIN_CHARS = 2, 30  # reports that must lack a name; of the texts of these, beyond what a title has
SAME_NAME = 0.7  # ratio of `SequenceMatcher` from which on two spellings may be one name: "Azores", "Açores"


def find_local_angles(story: Story, articles: Mapping[str, Article]) -> frozenset[str]:
    """
    Return the ids of the articles of `story` whose titles are local angles; empty if that were all of them.

    A title is one if it names the outlet's own country, or a place in it, which few of the reports of other outlets
    name at all, while most of them name another country; or if its first name is one that none of them has.
    """
    reports = [[articles[key] for key in group.articles if key in articles] for group in story.wire_groups]
    found = set()
    for own in filter(None, reports):
        others = [group[0] for group in reports if group and group is not own][:MAX_REPORTS]
        found |= {article.id for article in own if others and _is_local(article, others)}
    return frozenset(found) if any(article.id not in found for own in reports for article in own) else frozenset()


def _is_local(article: Article, others: list[Article]) -> bool:
    foreign = [each for each in others if each.country != article.country]
    if article.country in _countries(article.title, article.language) and len(foreign) * 2 >= len(others):
        concerned, abroad = 0, 0
        for each in foreign:
            elsewhere = _countries(f"{each.title}\n{each.text[:FIRST_CHARS]}", each.language) - {article.country}
            abroad += bool(elsewhere)
            concerned += article.country in _countries(f"{each.title}\n{each.text[:READ_CHARS]}", each.language)
        if concerned <= MAX_SHARE * len(foreign) and abroad * 2 >= len(foreign):
            return True
    whole = [each for each in others if len(each.text) > len(each.title) + MIN_CHARS]
    name = _first_name(article) if len(whole) >= MIN_OTHERS else None
    texts = (f"{each.title}\n{each.text[:READ_CHARS]}" for each in whole)
    known = {other for text in texts for other, _ in capitalized_words(text) if other.isascii()} if name else ()
    return name is not None and bool(known) and not _is_known(name, known)


def _countries(text: str, language: str) -> set[str]:
    return {found.code for found in load_gazetteer(language).find(text) if not found.is_ambiguous}


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
    is_place = _countries(" ".join(found[max(0, at - 1) : at + 2]), article.language)
    return None if is_place or not names[at].isascii() else names[at]


def _is_known(name: str, known: Collection[str]) -> bool:
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(name)
    for other in known:
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() >= SAME_NAME and matcher.ratio() >= SAME_NAME:
            return True
    return False
