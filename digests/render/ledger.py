"""Renders the ledger, the footer of an edition: the window, the counts, and which sources fail and why."""

from collections import defaultdict
from collections.abc import Sequence

from digests.model.edition import Edition
from digests.model.ledger import (
    FailingSource,
    LeftOut,
    LeftOutKind,
    LlmOutcome,
    LlmStop,
    TranslationFault,
    TranslationOutcome,
)
from digests.render.escape import sanitize_line
from digests.render.localizer import FALLBACK_LANGUAGE, Localizer, load_phrases
from watcher.failure_messages import HealthKind, Reason

LATE_S = 300.0  # an edition built within five minutes of its time is not late
MAX_REASONS, MAX_FAILING = 20, 20  # of sources that fail, and sources named for each
MAX_RULE = 100  # characters of a mute rule
MAX_LANGUAGES_NAMED = 8  # of those that no model translates
MAX_TRANSLATION_CHARS = 1_000  # of what became of the translations: all reasons in one line


def ledger_lines(edition: Edition, words: Localizer) -> tuple[str, ...]:
    """Return the lines at the foot of an edition: the period, what was read, the sources, and what models did."""
    lines = [_window_line(edition, words), _intake_line(edition, words), _sources_line(edition, words)]
    if edition.stories:
        lines.append(words["method_written" if any(story.llm_sentences for story in edition.stories) else "method"])
    if edition.ledger.llm:
        lines.append(_llm_line(edition.ledger.llm, words))
    if edition.ledger.translation:
        lines.append(_translation_line(edition.ledger.translation, words))
    if edition.previous is not None:
        lines.append(words.say("previous", day=words.long_date(edition.previous, edition.previous_at)))
    return tuple(lines)


def _window_line(edition: Edition, words: Localizer) -> str:
    """Return the line on the period that the edition covers, and when it was made."""
    start = words.clock(edition.window_start, day=True)
    end = words.clock(edition.window_end, day=True, zone=True)
    sentences = [words.say("covers", start=start, end=end)]
    if edition.ledger.longer_window:
        sentences.append(words["longer"])
    made_at = words.clock(edition.made_at, zone=True)
    if edition.ledger.late_s >= LATE_S:
        sentences.append(words.say("late", time=made_at, duration=words.duration(edition.ledger.late_s)))
    else:
        sentences.append(words.say("made", time=made_at))
    return " ".join(sentences)


def _intake_line(edition: Edition, words: Localizer) -> str:
    """Return what came in, how much of it is shown, and why the rest is not, each in a sentence."""
    ledger = edition.ledger
    shown = words.say("stories", n=ledger.stories_shown)
    if ledger.briefs_shown:
        shown = words.say("in_brief", stories=shown, briefs=words.say("briefs", n=ledger.briefs_shown))
    text = words.say(
        "seen",
        entries=words.say("entries", n=ledger.entries_seen),
        articles=words.say("articles", n=ledger.articles),
        outlets=words.say("outlets", n=ledger.outlets),
        languages=words.say("languages", n=ledger.languages),
        stories=words.say("stories", n=ledger.stories_found),
        shown=shown,
    )
    sentences = [text]
    reasons = [f"{_cause(cause, words)} ({words.number(cause.count)})" for cause in ledger.left_out if cause.count]
    if reasons:
        sentences.append(words.say("left_out", reasons=words.join(reasons)))
    if ledger.late_articles:
        sentences.append(words.say("late_articles", n=ledger.late_articles))
    if ledger.other_articles:
        sentences.append(words.say("other_entries", n=ledger.other_articles))
    if ledger.doubtful:
        sentences.append(words.say("doubtful", n=ledger.doubtful))
    if ledger.headline_only:
        sentences.append(words.say("headlines", n=ledger.headline_only))
    largest = ledger.largest
    if largest and largest.is_oversized:
        title = sanitize_line(largest.title, limit=200) or words["untitled"]
        sentences.append(words.say("oversized_story", title=title, reports=largest.reports, all=largest.of_reports))
    return " ".join(sentences)


def _cause(left_out: LeftOut, words: Localizer) -> str:
    cause = words.say(f"out_{left_out.kind}", why=_describe(left_out.reason, words))
    rule = sanitize_line(left_out.rule, limit=MAX_RULE)
    return f"{words.label(cause)} {rule}" if rule else cause


def describe_left_out(kind: LeftOutKind, reason: Reason | None = None) -> str:
    """Return in English what is left out: "live blogs and round-ups"."""
    text = load_phrases(FALLBACK_LANGUAGE)[f"out_{kind}"]
    return str(text).format(why=reason or "")


def _describe(reason: Reason | None, words: Localizer) -> str:
    return sanitize_line(words.describe(reason), limit=200) if reason else ""


def _sources_line(edition: Edition, words: Localizer) -> str:
    """Return the line on the sources: how many were read, which failed, and whether the network was down."""
    ledger = edition.ledger
    empty = [
        each
        for each in ledger.failing
        if isinstance(each.reason, Reason) and each.reason.kind == HealthKind.NEVER_AN_ENTRY
    ]
    failing = [each for each in ledger.failing if each not in empty]
    sentences = [words.say("healthy", ok=ledger.sources_ok + len(empty), total=ledger.sources_total)]
    if not ledger.sources_total:
        sentences = [words["no_source"]]
    if ledger.sources_unread:
        sentences.append(words.say("unread", n=ledger.sources_unread))
    if ledger.network_down_since:
        sentences.append(words.say("offline", time=words.clock(ledger.network_down_since, zone=True)))
    if ledger.polling_stopped_since:
        time = words.clock(ledger.polling_stopped_since, zone=True)
        sentences.append(words.say("polling_stopped", time=time, why=_describe(ledger.polling_stop_reason, words)))
    if failing:
        sentences.append(words.say("failing", names=_failing_sources(failing, words)))
    if ledger.paused:
        names = [sanitize_line(name, limit=200) for name in ledger.paused]
        sentences.append(words.say("paused", names=words.list_names(names, MAX_FAILING)))
    if empty:
        names = [sanitize_line(source.name, limit=200) for source in empty]
        sentences.append(words.say("never_an_entry", names=words.list_names(names, MAX_FAILING)))
    return " ".join(sentences)


def _failing_sources(failing: Sequence[FailingSource], words: Localizer) -> str:
    """Return "Alpha, Beta and Gamma (no response within 20 s); Delta": each reason once, behind its sources."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for source in failing:
        by_reason[_describe(source.reason, words)].append(sanitize_line(source.name, limit=200))
    groups = [
        words.list_names(names, MAX_FAILING) + (f" ({reason})" if reason else "") for reason, names in by_reason.items()
    ]
    return "; ".join(groups if len(groups) <= MAX_REASONS else [*groups[:MAX_REASONS], "…"])


def _llm_line(llm: LlmOutcome, words: Localizer) -> str:
    """Return the line on the language model: how many sentences it wrote, and why others are missing."""
    line = words.say("llm_wrote", model=llm.model, n=llm.written)
    if llm.rejected:
        line = words.say("llm_rejected", told=line, n=llm.rejected)
    if llm.stop:
        why = llm.error if llm.stop is LlmStop.ERROR else words[f"llm_{llm.stop}"]
        line = words.say("llm_stopped", told=line, why=why)
    return words.say("llm", told=sanitize_line(line, limit=300))


def describe_fault(fault: TranslationFault) -> str:
    """Return in English, as part of a sentence, why a text has no translation."""
    return str(load_phrases(FALLBACK_LANGUAGE)[f"untranslated_{fault}"])


def _translation_line(outcome: TranslationOutcome, words: Localizer) -> str:
    """Return the line on translation: how many texts were translated, and why others were not."""
    parts = [words.say("texts_translated", n=outcome.translated)] if outcome.translated else []
    if outcome.dropped:
        reasons = [
            f"{words[f'untranslated_{fault.kind}']} ({words.number(fault.count)})" for fault in outcome.untranslated
        ]
        dropped = words.say("untranslated", n=outcome.dropped)
        parts.append(" ".join((words.label(dropped), words.join(reasons))) if reasons else dropped)
    if outcome.missing:
        names = [words.language_name(tag) or tag for tag in outcome.missing]
        parts.append(words.say("no_model", languages=words.list_names(names, MAX_LANGUAGES_NAMED)))
    if outcome.error:
        parts.append(words.say("translation_failed", why=outcome.error))
    return words.say("translation", told=sanitize_line("; ".join(parts), limit=MAX_TRANSLATION_CHARS))
