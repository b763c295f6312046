"""Texts, headlines and outlets made inert, with their language and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from digests.model import Brief, Prose, Sentence
from digests.render import safe
from digests.render.view import BriefView, Cite, Quote, Tongue
from digests.render.words import Words
from watcher.text.urls import host_of

MAX_TITLE = 300  # characters
MAX_CITES = 4  # of one written sentence


def headline(title: str, words: Words) -> str:
    return safe.inert(title, limit=MAX_TITLE) or words["untitled"]


def outlet_name(name: str, url: str) -> str:
    """Return an outlet's name; its host where a source was named with nothing that can be seen."""
    return safe.inert(name, limit=MAX_TITLE) or host_of(url) or "?"


def tongue(tag: str, text: str, words: Words) -> Tongue:
    own = words.direction(words.language, "")
    direction = words.direction(tag, text)
    foreign = words.language_name(tag)
    return Tongue(lang=safe.language_tag(tag) if foreign else "", dir=direction if direction != own else "")


def cite(outlet: str, url: str, at: datetime, words: Words) -> Cite:
    name = outlet_name(outlet, url)
    turns = words.direction(words.language, "") == "ltr" and safe.first_strong(name) == "rtl"
    return Cite(outlet=name, url=safe.web_url(url), mark="\u200e" if turns else "", time=words.clock(at))


def quotes(sentences: Sequence[Sentence], words: Words) -> tuple[Quote, ...]:
    """Return the sentences in order; those that follow each other in one report share one citation."""
    found = []
    for (url, outlet, tag, at), run in groupby(sentences, key=lambda s: (s.url, s.outlet, s.language, s.at)):
        text = words.joined((safe.inert(sentence.text) for sentence in run), tag)
        found.append(Quote(text=text, tongue=tongue(tag, text, words), cites=(cite(outlet, url, at, words),)))
    return tuple(found)


def written(prose: Iterable[Prose], words: Words) -> tuple[Quote, ...]:
    """Return what a model wrote, each sentence with the reports it rests on."""
    return tuple(
        Quote(
            text=safe.inert(sentence.text),
            tongue=Tongue(),
            cites=tuple(dict.fromkeys(cite(s.outlet, s.url, s.at, words) for s in sentence.sources))[:MAX_CITES],
        )
        for sentence in prose
    )


def watched(alerts: Sequence[str], words: Words) -> str:
    """Return "watched: ferry, strike", or nothing."""
    named = ", ".join(word for word in (safe.inert(alert, limit=80) for alert in alerts) if word)
    return words.say("watched", words=named) if named else ""


def brief(value: Brief, words: Words) -> BriefView:
    """Return a story in one line."""
    title, outlet = headline(value.title, words), outlet_name(value.outlet, value.url)
    day = words.say("day", n=value.day) if value.day > 1 else ""
    about = (words.in_language(value.language), day, watched(value.alerts, words))
    return BriefView(
        title=title,
        url=safe.web_url(value.url),
        tongue=tongue(value.language, title, words),
        outlet=outlet,
        outlet_tongue=tongue(value.language, outlet, words),
        about=", ".join(part for part in about if part),
        outlets=words.say("outlets", n=value.outlets),
    )
