"""Who reports a story, in words: how many on their own, and how countries and kinds of owners tell it."""

from __future__ import annotations

from collections.abc import Iterable

from digests.model import EditionStory, Silent, Voice
from digests.render import safe
from digests.render.citing import cite, headline, tongue
from digests.render.view import VoiceView
from digests.render.words import Words

MAX_VOICES = 6  # of a story
MAX_ONLY = 5  # names and numbers that one voice alone has
MAX_SILENT = 6  # countries, or kinds of owners, by name


def coverage(story: EditionStory, words: Words) -> str:
    """
    Return "47 outlets · 14 independent · 33 agency copies folded · 9 languages": without folded ones where none is, and
    without languages where there is one.
    """
    parts = [words.say("outlets", n=story.outlets), words.say("independent", n=story.independent)]
    from_agencies = sum(copies for _, copies in story.agencies)
    if story.folded:
        parts.append(words.say("agency_copies" if from_agencies == story.folded else "folded", n=story.folded))
    if len(story.languages) > 1:
        parts.append(words.say("languages", n=len(story.languages)))
    return " · ".join(parts)


def voices(story: EditionStory, words: Words) -> tuple[VoiceView, ...]:
    """Return how each country, or kind of owner, leads; the first of each to report is called so."""
    return tuple(_voice(voice, story.voices, words) for voice in story.voices[:MAX_VOICES])


def _voice(voice: Voice, among: Iterable[Voice], words: Words) -> VoiceView:
    mention = voice.mention
    title = headline(mention.title, words)
    is_country = voice.group == "country"
    before, after = words.around("leads" if is_country else "leads_kind", "headline", name=_name(voice, words))
    rivals = [other.mention.at for other in among if other.group == voice.group and other is not voice]
    first = words["first"] if rivals and mention.at < min(rivals) else ""
    only = ", ".join(name for name in (safe.inert(name, limit=80) for name in voice.only[:MAX_ONLY]) if name)
    return VoiceView(
        before=before,
        headline=title,
        tongue=tongue(mention.language, title, words),
        after=after,
        cite=cite(mention.outlet, mention.url, mention.at, words),
        about=", ".join(part for part in (words.in_language(mention.language), first) if part),
        only=words.say("only_there", names=only) if only else "",
    )


def silent(story: EditionStory, words: Words) -> tuple[str, ...]:
    """Return "Not reported in: China (4 read).": a sentence for countries, one for kinds of owners."""
    lines = []
    for group, key in (("country", "silent"), ("owner", "silent_kind")):
        those = [one for one in story.silent if one.group == group]
        shown = [_name(one, words) for one in those[:MAX_SILENT]]
        names = [
            words.say("read", name=name if group == "country" else words.say("kind", name=name), n=one.outlets)
            for name, one in zip(shown, those, strict=False)
        ]
        if len(those) > MAX_SILENT:
            names.append("…")
        if names:
            lines.append(words.say(key, names=", ".join(names)))
    return tuple(lines)


def _name(one: Voice | Silent, words: Words) -> str:
    """Return the name of a country, or the settings' word for a kind of owner."""
    name = safe.inert(one.name, limit=80)
    return words.country(name) or name if one.group == "country" else name
