"""The title of a report without the name of its outlet at the end: "… - New York Post"."""

import re
from collections.abc import Sequence

from digests.analysis.select import display_length
from watcher.model import Article
from watcher.text.urls import is_channel_host
from watcher.text.words import WORD, fold, to_latin

SEPARATORS = "|–—-•·:"  # between a title and an outlet's name
MIN_LABEL, MAX_CHANNEL_WORDS = 3, 4  # letters of a label of a host, and words of a channel's name
MIN_TITLE_LEFT = 12.5  # width of a title without it
SITE = re.compile(r"^\s?(?:www\.)?[a-z\d-]{1,63}(?:\.[a-z]{2,4}){1,2}$", re.IGNORECASE)  # "nordpost.com"
PORTALS = frozenset({"msn", "msnnow", "msncom", "yahoonews", "aolcom"})  # that carry the reports of others


def title_without_outlet(article: Article) -> str:
    """
    Return the title without a separator and the outlet's name at its end, however often it stands there.

    The name is that of the outlet or its site, also in full ("Sydney Morning Herald" on smh.com.au) or with one more
    word ("Sky News", "Gizmodo Australia"), that of a portal, or the address of any site behind a dash. On a platform it
    is that of any channel.
    """
    title = article.title.strip()
    while True:
        index = max(title.rfind(mark) for mark in SEPARATORS)
        if (
            index <= 0
            or display_length(title[:index].rstrip()) < MIN_TITLE_LEFT
            or not (_is_outlet(title[index + 1 :], article) or _is_site(title[index:], article))
        ):
            return title
        title = title[:index].rstrip(f"{SEPARATORS} ")


def outlet_names(article: Article) -> frozenset[str]:
    """Return the names of an article's outlet and its domain, folded, without spaces and marks."""
    site = article.host.removeprefix("www.").split(":")[0]
    names = {plain_name(article.outlet), plain_name(site), site.split(".")[0]}
    return frozenset(names | {name.removeprefix("the") for name in names}) - {""}


def plain_name(name: str) -> str:
    """Return a name folded, without spaces and marks."""
    return re.sub(r"\W", "", fold(name))


def _is_site(tail: str, article: Article) -> bool:
    """Whether a title ends in a dash and the address of a site; without a space between them on a platform alone."""
    is_apart = tail[1:2].isspace() or is_channel_host(article.host)
    return tail[0] in "|–—-" and is_apart and SITE.fullmatch(tail[1:]) is not None


def _is_outlet(tail: str, article: Article) -> bool:
    """Whether what stands behind the last separator of a title is the name of its outlet."""
    plain = plain_name(tail).removeprefix("the")
    # "Ведомости" on vedomosti.ru
    if not {plain, plain.removesuffix("news"), to_latin(plain)}.isdisjoint(outlet_names(article) | PORTALS):
        return True
    name = [word for word in WORD.findall(tail) if fold(word) not in ("the", "le", "la")]
    # "RT на русском", "РИА Новости" on ria.ru; in one script the same word may be none: "Time for change" in Time.
    first = {fold(word) for word in name[:1]} | {to_latin(fold(word)) for word in name[:1]}
    if not tail.isascii() and len(name) <= MAX_CHANNEL_WORDS and not first.isdisjoint(outlet_names(article)):
        return tail[:1].isspace()
    if not (tail[:1].isspace() and name and all(word[0].isupper() or word[0].isdigit() for word in name)):
        return False
    if is_channel_host(article.host):
        return len(name) <= MAX_CHANNEL_WORDS
    labels = article.host.partition(":")[0].removeprefix("www.").split(".")[:-1]
    return any(len(label) >= MIN_LABEL and _spells(name, label) for label in labels)


def _spells(name: Sequence[str], label: str) -> bool:
    """Whether the beginnings of all words of a name, or of all but the last, make up a label of a host: "smh"."""
    rests = {label}
    for index, word in enumerate(map(fold, name)):
        ends = {rest[length:] for rest in rests for length in range(1, len(word) + 1) if rest.startswith(word[:length])}
        if "" in ends and index >= len(name) - 2 and (index > 0 or len(label) == len(word)):
            return True
        rests = ends
    return False
