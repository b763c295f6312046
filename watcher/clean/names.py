"""Names of authors, out of what pages write into author fields and bylines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

MAX_NAMES = 12
LONGEST = 60  # characters of a name
MOST_WORDS = 6  # of a name
BY = (
    r"(?:(?:(?:written|reported|story|stories|text|words|articles?|posted|created|published|submitted|interview"
    r"|view all posts|all posts|posts|post|analysis|opinion|review|essay) by"
    r"|(?:erstellt|verfasst|geschrieben|veröffentlicht|gepostet|beitr[aä]ge?|artikel|bericht|kommentar|analyse|interview"
    r"|gastbeitrag|kolumne|essay|text|alles|mehr|mehr artikel|autorenseite|blog beitrag|pressemitteilung|reportage) von"
    r"|écrit par|publié par|propos recueillis par|escrito por|publicado por|scritto da|a cura di|gepubliceerd door"
    r"|skrevet av|skrevet af|skriven av)"
    r"|by|von|vom|par|por|di|da|av|af|door|od|przez|szerző|kirjoittanut|oleh|penulis|yazan|haber|autor|autorin|autorka|autorin/autor|autor/in|autor:in|autor\*in"
    r"|auteur|autrice|authors?|författare|reporter|text|tekst|texte|testo|texto|interview"
    r"|от|автор|текст|بقلم|كتب|כתב|文|作者|記者|记者|撰文|글)"
)
PREFIX = re.compile(rf"^\W*{BY}(?:\s*[:：]\s*|\s+)", re.IGNORECASE)
LED = re.compile(
    r"^(?:ein|eine|an?|the|une?|alle|zeige alle)?\s*(?:kommentar|beitr[aä]ge?|analyse|interview|bericht|gastbeitrag"
    r"|pressemitteilung|artikel|kolumne|essay|reportage|opinion|analysis|column|documentaire|reportage|chronique)\w*\s+"
    r"(?:von|by|par|de)\s+(?=\w)",
    re.IGNORECASE,
)
BETWEEN = re.compile(
    r"\s*[;|•·/\n]\s*|\s*[,、，]\s*|\s+[-–—]+\s+"
    r"|\s+(?:and|und|et|y|e|og|och|en|i|a|и|та|ve|ja|&|with|mit|avec|sowie)\s+"
)
ROLE = re.compile(
    r"^(?:(?:staff|reporter|editor|correspondent|senior|chief|contributor|writer|journalist|redakteur\w*|redaktion"
    r"|korrespondent\w*|volontär\w*"
    r"|political|associate|deputy|special|news|business|sport|sports|opinion|columnist|name|publiziert"
    r"|veröffentlicht|posted|redacción|photographer|producer|updated|published|lesezeit|lesedauer|min|minuten"
    r"|no author|unknown|admin|administrator|anonymous|undefined|null|none|guest|gast|follow|share|kontakt|contact"
    r"|journaliste|periodista|redactora?|giornalista|journalista|frilans|kommentare?|comments?|photo|foto|bild"
    r"|view|post author|über|tiempo|tags?|kategorien?|hinterlasse|schlagw\w+|gesponserte?)\b"
    r"|(?-i:for|of|the|in|at|on|from|für|aus|am|im|um|to)\b)",
    re.IGNORECASE,
)
TITLES_BEHIND = re.compile(
    r"(?:ph\.?\s?d|m\.?d|m\.?sc?|b\.?sc?|mba|mph|rdn?|rn|ll\.?m|dds|esq|cfp|cpa|mag|ba|ma|facp)\.?", re.IGNORECASE
)
ROLE_BEHIND = re.compile(
    r"\s+(?:chefredak\w*|\w*redakteur\w*|\w*redaktor\w*|\w*korrespondent\w*|\w*reporter\w*|journalist\w*|editor"
    r"|correspondent|staff writer)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
BEHIND = re.compile(
    r"(?:\s+(?:alle? (?:artikel|beiträge)|alles von|more posts|all posts|view all|im gespräch"
    r"|illustration(?:en)?|fotos?"
    r"|(?:am|on) (?:mon|di|mitt|don|frei|sam|sonn)\w*tag)|more posts|\s*(?:기자|특파원|記者|记者)|\s+@\w+)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
BEFORE = re.compile(r"^(?:[\w-]+-)?(?:experte|expertin|redakteur(?:in)?|reporter(?:in)?|korrespondent(?:in)?)\s+", re.I)
SAID = re.compile(
    r"\b(?:sagt|sagte|says|said|schrieb|schreibt|writes|wrote|meint|dit|dice|kommentiert)\b", re.IGNORECASE
)
SENTENCE = re.compile(r"[?!？！](?:\s|$)")
DOMAIN = re.compile(r"^\s*[\w-]+\.(?:com|org|net|de|at|ch|co|info|eu)\s*[,;|/]", re.IGNORECASE)
NOT_NAME = re.compile(
    r"https?:|www\.|@\w|\.(?:com|org|net|de|at|ch)\b|\d{2}|\b\d\b|[<>{}\[\]=#?!…“”„\":：→»]|^\W*$|^\d+$", re.IGNORECASE
)
PARTICLES = frozenset(
    "de da do dos das del della di du des la le el al bin ibn ben van von vom zu zum zur der den ter ten te af av y e"
    " d' 't".split(" ")
)
PARENTHESIS = re.compile(r"\s*\([^()]{0,60}\)")
JUNIOR = re.compile(r",\s+(?=(?:jr|sr|iii?)\b)", re.IGNORECASE)


def split_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names in `texts`, each once, in order: "By Ann Lee and Bo Ek, Staff Writers" holds two."""
    names: dict[str, str] = {}
    for text in texts:
        if "://" in text or DOMAIN.match(text) or SAID.search(text) or SENTENCE.search(text):
            continue
        bare = JUNIOR.sub(" ", PARENTHESIS.sub("", " ".join(unescape(text).split())))
        for part in BETWEEN.split(PREFIX.sub("", LED.sub("", bare))):
            name = _bare(part)
            if name and is_name(name):
                names.setdefault(name.casefold(), name)
    return tuple(list(names.values())[:MAX_NAMES])


def proper_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names in `texts` that are written as names: no word for a thing, "posted in the morning"."""
    return tuple(name for name in split_names(texts) if _is_proper(name))


def _is_proper(name: str) -> bool:
    words = [word for word in name.split() if word.casefold() not in PARTICLES]
    return bool(words) and (len(words) == 1 or not any(word[0].islower() for word in words))


def _bare(part: str) -> str:
    """Return a part of a byline without the words before and behind the name."""
    name = BEFORE.sub("", PREFIX.sub("", LED.sub("", part.strip())))
    name = BEHIND.sub("", name)
    without_role = ROLE_BEHIND.sub("", name)
    if " " in without_role and _is_proper(without_role):  # "Ann Lee, reporter", but not "Guardian staff reporter"
        name = without_role
    return name.strip(" .,:;–—-*·\"'’|")


def is_short(text: str) -> bool:
    """Whether a text is not too long for a name, and holds a letter."""
    return 1 < len(text) <= LONGEST and any(map(str.isalpha, text))


def is_name(text: str) -> bool:
    """Whether a text can be the name of an author: short, no address, no role, no sentence."""
    return (
        is_short(text)
        and text.count(" ") < MOST_WORDS
        and not NOT_NAME.search(text)
        and not ROLE.match(text)
        and not TITLES_BEHIND.fullmatch(text)
    )
