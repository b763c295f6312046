"""The foot of an edition in words: the window, what became of what was seen, which sources fail and why."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter

from digests.model import Edition, LargestStory
from digests.render.escape import sanitize_line
from digests.render.localizer import FALLBACK_LANGUAGE, Localizer, load_phrases

LATE_S = 300.0  # an edition made within five minutes of its time is not late
MAX_FAILING = 20  # sources by name
# What the ledger says of articles and stories that were left out, and the phrase that says it in the edition's words.
REASONS = {
    "further entries of the same articles": "out_repeats",
    "published outside the window": "out_window",
    "in a language that the settings leave out": "out_language",
    "without a title": "out_title",
    "too little text": "out_text",
    "muted by the settings": "out_muted",
    "the same article again from its outlet": "out_again",
    "withdrawn by their outlets": "out_withdrawn",
    "pages still to be had": "out_waiting",
    "stories about other regions": "out_regions",
    "stories on an event that another story tells": "out_siblings",
    "stories that one outlet has": "out_single",
    "stories that ranked lower": "out_lower",
}
PAGES = "pages not to be had: "  # then what their servers said
MOST = 1_000  # characters that are looked at
NESTED = frozenset({"why", "told"})  # gaps that hold another phrase
GAPS = {"n": r"\d[\d,]*", "host": r"\S+"}  # what a gap may hold; any other takes what it gets


def ledger_lines(edition: Edition, words: Localizer) -> tuple[str, ...]:
    """Return the paragraphs of the foot, in order."""
    lines = [_window(edition, words), _seen(edition, words), _sources(edition, words)]
    if edition.stories:
        lines.append(words["method_written" if any(story.llm_sentences for story in edition.stories) else "method"])
    if edition.ledger.llm_note:
        lines.append(
            words.say("prose", told=sanitize_line(retold(edition.ledger.llm_note, words, "prose_"), limit=300))
        )
    if edition.previous is not None:
        lines.append(words.say("previous", day=words.long_date(edition.previous)))
    return tuple(lines)


def _window(edition: Edition, words: Localizer) -> str:
    start = words.clock(edition.window_start, day=True)
    end = words.clock(edition.window_end, day=True, zone=True)
    sentences = [words.say("covers", start=start, end=end)]
    if edition.ledger.longer_window:
        sentences.append(words["longer"])
    made = words.clock(edition.made_at, zone=True)
    if edition.ledger.late_s >= LATE_S:
        sentences.append(words.say("late", time=made, duration=words.duration(edition.ledger.late_s)))
    else:
        sentences.append(words.say("made", time=made))
    return " ".join(sentences)


def _seen(edition: Edition, words: Localizer) -> str:
    ledger = edition.ledger
    shown = words.say("stories", n=ledger.stories_shown)
    if ledger.briefs_shown:
        shown = words.say("in_brief", stories=shown, briefs=words.say("briefs", n=ledger.briefs_shown))
    text = words.say(
        "seen",
        entries=words.say("entries", n=ledger.entries_seen),
        articles=words.say("articles", n=ledger.articles),
        outlets=words.say("outlets", n=ledger.outlets),
        stories=words.say("stories", n=ledger.stories_found),
        shown=shown,
    )
    reasons = [f"{_reason(reason, words)} ({words.number(count)})" for reason, count in ledger.left_out if count]
    text = f"{text} {words.say('left_out', reasons=', '.join(reasons))}" if reasons else text
    return f"{text} {_giant(ledger.largest, words)}" if ledger.largest and ledger.largest.is_oversized else text


def _reason(reason: str, words: Localizer) -> str:
    if reason.startswith(PAGES):
        return words.say("out_pages", why=sanitize_line(_why(reason.removeprefix(PAGES), words), limit=200))
    return words[REASONS[reason]] if reason in REASONS else sanitize_line(reason, limit=200)


def _why(reason: str, words: Localizer) -> str:
    return retold(reason, words, "why_")


def _giant(largest: LargestStory, words: Localizer) -> str:
    title = sanitize_line(largest.title, limit=200) or words["untitled"]
    return words.say("giant", title=title, reports=largest.reports, all=largest.of_reports)


def _sources(edition: Edition, words: Localizer) -> str:
    ledger = edition.ledger
    text = words.say("healthy", ok=ledger.sources_ok, total=ledger.sources_total)
    names = [
        f"{sanitize_line(source.name, limit=200)} ({sanitize_line(_why(source.why, words), limit=200)})"
        for source in ledger.failing
    ]
    if len(names) > MAX_FAILING:
        names[MAX_FAILING:] = ["…"]
    return f"{text} {words.say('failing', names=', '.join(names))}" if names else text


def retold(text: str, words: Localizer, kind: str) -> str:
    """
    Return `text` in the words of an edition, as far as it is phrases of `kind`; what no phrase is stays as it is.

    Args:
        kind: How the keys of the phrases begin: "why_" for why a source is not read or a page not to be had, "prose_"
            for what became of a model's summaries.
    """
    if len(text) > MOST:
        return text
    for key, pattern in _patterns(kind):
        if found := pattern.fullmatch(text):
            gaps = {name: retold(value, words, kind) if name in NESTED else value for name, value in _gaps(found)}
            number = {"n": int(gaps["n"].replace(",", ""))} if "n" in gaps else {}
            return words.say(key, **gaps | number)
    return text


def _gaps(found: re.Match[str]) -> list[tuple[str, str]]:
    return [(name, value or "") for name, value in found.groupdict().items()]


@lru_cache(maxsize=4)
def _patterns(kind: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the English phrases as patterns with their keys; those that begin with a gap, and so fit most, last."""
    found = []
    for key, phrase in load_phrases(FALLBACK_LANGUAGE).items():
        if key.startswith(kind):
            forms = phrase.values() if isinstance(phrase, dict) else [phrase]
            found += [(form.startswith("{"), key, re.compile(_pattern(form), re.DOTALL)) for form in forms]
    return tuple((key, pattern) for _, key, pattern in sorted(found, key=lambda row: row[0]))


def _pattern(phrase: str) -> str:
    parts = Formatter().parse(phrase)
    return "".join(re.escape(text) + (f"(?P<{gap}>{GAPS.get(gap, '.+')})" if gap else "") for text, gap, _, _ in parts)
