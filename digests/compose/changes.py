"""What moved in a story since the reader's last edition: new, developing or quiet, and the sentences that are new."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from digests.analysis.coverage import measure_coverage
from digests.analysis.numbers import changed_numbers, numbers
from digests.analysis.select import is_flagged
from digests.model import Edition, EditionStory, NumberChange, Sentence, Story
from digests.summarise.agreement import Agreement, DocumentFrequencies, count_document_frequencies, measure_agreement
from digests.summarise.lead import READ_CHARS, CandidateSentence, find_candidates, is_repetition, make_sentence
from watcher.model import Article
from watcher.text.sentences import sentences as sentences_of
from watcher.text.words import fold, is_unspaced, stems, words

REPORTS = 12  # new articles that are read
MOST = 2  # sentences that say what is new
OWN_CHARS = 700  # of two texts of one outlet,
OWN_SHARE, OWN_TITLE = 0.2, 0.1  # and the shares of their telling words, and of their titles', from which it goes on
UNSPACED = 0.7  # times, where words are pairs of characters: of one thing said otherwise, fewer are the same
NOVEL = 3  # new words that a sentence without a new number or name must hold


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryChange:
    """How a story stands to the last edition."""

    status: str  # new, developing, quiet
    day: int  # 1 on the first day
    first_seen_at: datetime
    updates: tuple[Sentence, ...] = ()
    number_changes: tuple[NumberChange, ...] = ()
    new_outlets: tuple[str, ...] = ()  # in time order
    new_articles: tuple[str, ...] = ()
    earlier_story: str | None = None  # the story's id in that edition
    place_codes: tuple[str, ...] = ()  # of the countries that it was about there


def compare_with_earlier(
    story: Story,
    articles: Mapping[str, Article],
    editions: Sequence[Edition],
    *,
    language: str,
    timezone: str,
    local_date: date,
    window_end: datetime,
    inside: Collection[str] | None = None,
    places: Collection[str] = (),
    shown: Sequence[Sentence] = (),
    known: DocumentFrequencies | None = None,
    agreed: Agreement | None = None,
) -> StoryChange:
    """
    Return whether the reader has seen `story`, and what is new in it since.

    A story was seen if one of the last editions showed it, or as a brief: under its id, under one that has gone into
    it, or with one of the same articles; or if it showed another story of the same thread, or one that an outlet goes
    on with (`own_follow_up`). The latest of them counts.
    It is developing if an article that came in after that edition has a sentence with a number, a name or enough words
    that were not known then; else quiet. What counts as known: the texts of the story's articles up to that edition,
    and all that the edition showed.

    Args:
        articles: Those of the window, and the last editions' where they are to be had: they make what is known
        complete.
        editions: The last ones, the latest first.
        shown: This edition's summary. One of its sentences is returned only if nothing else is new: it then belongs
            there rather than to the summary.
        window_end: When this edition's window ends: its time of day parts the days.
        inside: Ids of the articles that take part in this edition: no other is told as new. None: all do.
        places: ISO codes of the countries that the story is about.
    """
    present = [articles[key] for key in story.articles if key in articles]
    previous, earlier, brief = find_last_shown(story, editions)
    goes_on = find_follow_up(present, editions[0], articles, places, known) if previous is None and editions else None
    if goes_on is not None:
        previous, earlier = editions[0], goes_on
    first = _began(story, present, earlier, window_end=window_end)
    day = day_number(first, local_date=local_date, window_end=window_end, timezone=timezone)
    if previous is None:
        return StoryChange(status="new", day=day, first_seen_at=first)
    known_ids = set(earlier.article_ids) if earlier else set(brief)
    old, came = split_old_and_new(present, known_ids, articles, until=previous.window_end)
    new = [a for a in came if inside is None or a.id in inside]
    new_ids = {article.id for article in new}
    told = _told(old, earlier)
    sentences = _new_sentences(story, articles, new, told, shown, language, known, agreed)
    if goes_on is not None and not sentences:
        return StoryChange(status="new", day=day, first_seen_at=first)
    return StoryChange(
        status="developing" if sentences else "quiet",
        day=day,
        first_seen_at=first,
        updates=sentences,
        number_changes=changed_numbers(
            (*sentences, *(s for s in shown if s.article_id in new_ids)), _known_sentences(old, earlier)
        ),
        new_outlets=_new_outlets(new, old),
        new_articles=tuple(article.id for article in new),
        earlier_story=earlier.id if earlier else None,
        place_codes=earlier.place_codes if earlier else (),
    )


def _began(story: Story, present: Sequence[Article], earlier: EditionStory | None, *, window_end: datetime) -> datetime:
    """Return when the first article of a story was published, of what an edition showed it as, or of its thread."""
    times = [article.published_at for article in present] or [window_end]
    times += [story.began_at] if story.began_at else []
    return min([*times, earlier.first_seen_at] if earlier is not None else times)


def split_old_and_new(
    present: Sequence[Article], known: Collection[str], articles: Mapping[str, Article], *, until: datetime
) -> tuple[list[Article], list[Article]]:
    """Return the articles that a reader's last edition had or could have had, and those that came in after it."""
    rest = [article for article in present if article.id not in known]
    old = [articles[key] for key in known if key in articles]
    old += [article for article in rest if article.fetched_at < until]
    return old, [article for article in rest if article.fetched_at >= until]


def _known_sentences(old: Sequence[Article], earlier: EditionStory | None) -> list[Sentence]:
    """Return what the reader was told of a story, then the beginnings of the articles that it rested on."""
    told = [*earlier.updates, *earlier.summary] if earlier else []
    latest = sorted(old, key=lambda a: (a.published_at, a.id), reverse=True)[:REPORTS]
    for article in latest:
        text = article.text[:READ_CHARS]
        told += [make_sentence(article, start, text[start:end]) for start, end in sentences_of(text, article.language)]
    return told


def _new_outlets(new: Sequence[Article], old: Sequence[Article]) -> tuple[str, ...]:
    had = {article.outlet for article in old}
    return tuple(dict.fromkeys(article.outlet for article in new if article.outlet not in had))


def find_last_shown(
    story: Story, editions: Sequence[Edition]
) -> tuple[Edition | None, EditionStory | None, tuple[str, ...]]:
    """Return the latest of `editions` that has the story, how it shows it, and its brief's articles if it is one."""
    for edition in editions:
        shown, brief = find_in_edition(story, edition)
        if shown is not None or brief:
            return edition, shown, brief
    return None, None, ()


def find_in_edition(story: Story, edition: Edition) -> tuple[EditionStory | None, tuple[str, ...]]:
    """Return the story as an edition showed it, and the article ids of its brief if it was one."""
    ids, known = set(story.articles), {story.id, *story.merged_ids}
    rows = [(s.id == story.id, s.id in known, len(ids & set(s.article_ids)), -s.number, s) for s in edition.stories]
    best = max(rows, key=lambda row: row[:4], default=None)
    if best and any(best[:3]):
        return best[4], ()
    brief = next((b.article_ids for b in edition.briefs if b.id in known or ids & set(b.article_ids)), ())
    if brief or not story.thread:
        return None, brief
    followed = next((s for s in edition.stories if s.thread == story.thread), None)
    return followed, next((b.article_ids for b in edition.briefs if b.thread == story.thread and not followed), ())


def find_follow_up(
    present: Sequence[Article],
    edition: Edition,
    articles: Mapping[str, Article],
    places: Collection[str],
    known: DocumentFrequencies | None,
) -> EditionStory | None:
    """
    Return the story of an edition that an outlet goes on with: about the same country, and in much the same words.

    What grouping leaves apart for want of other reports, its own outlet connects: it writes of one thing day by day.
    """
    words_of = known or count_document_frequencies(present)
    best: tuple[float, EditionStory] | None = None
    for earlier in edition.stories:
        if not set(earlier.place_codes) & set(places):
            continue
        theirs = {(m.outlet, m.language): articles[m.article_id] for m in earlier.mentions if m.article_id in articles}
        for article in present:
            before = theirs.get((article.outlet, article.language))
            if before is None or is_flagged(before) or is_flagged(article):
                continue
            share = _rare_share(article, before, words_of)
            least = OWN_SHARE * (UNSPACED if is_unspaced(article.title) else 1.0)
            titles = _rare_share(article, before, words_of, chars=0)
            if share >= least and titles >= OWN_TITLE and (best is None or share > best[0]):
                best = share, earlier
    return best[1] if best else None


def _rare_share(one: Article, other: Article, known: DocumentFrequencies, *, chars: int = OWN_CHARS) -> float:
    """Return how much of the telling words of two titles, and so many characters of their texts, they share, 0 to 1."""
    first, second = (set(stems(f"{a.title}\n{a.text[:chars]}", a.language)) for a in (one, other))
    weight = {stem: known.rarity(stem, one.language) for stem in first | second}
    shorter = min(sum(weight[stem] for stem in side) for side in (first, second))
    return sum(weight[stem] for stem in first & second) / shorter if shorter else 0.0


def day_number(first: datetime, *, local_date: date, window_end: datetime, timezone: str) -> int:
    """Return on which day a story is, 1 for the first: days begin where the edition's window ends, in local time."""
    zone = ZoneInfo(timezone)
    local = first.astimezone(zone)
    began = local.date() + timedelta(days=local.time() >= window_end.astimezone(zone).time())
    return max(1, (local_date - began).days + 1)


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What a reader could know: numbers, folded words and stems of the earlier texts."""

    numbers: frozenset[str]
    words: frozenset[str]
    sentences: tuple[frozenset[str], ...]


def _told(old: Sequence[Article], earlier: EditionStory | None) -> KnownFacts:
    texts = [(f"{article.title}\n{article.text}", article.language) for article in old]
    if earlier is not None:
        texts += [(s.text, s.language) for s in (*earlier.summary, *earlier.updates)]
        texts += [(mention.title, mention.language) for mention in earlier.mentions]
        texts.append((earlier.title, earlier.title_language))
    shown = [(s.text, s.language) for s in (*earlier.summary, *earlier.updates)] if earlier else []
    return KnownFacts(
        numbers=frozenset(number for text, _ in texts for number in numbers(text)),
        words=frozenset(stem for text, language in texts for stem in stems(text, language)),
        sentences=tuple(frozenset(stems(text, language)) for text, language in shown),
    )


def _new_sentences(
    story: Story,
    articles: Mapping[str, Article],
    new: Sequence[Article],
    told: KnownFacts,
    shown: Sequence[Sentence],
    language: str,
    known: DocumentFrequencies | None,
    agreed: Agreement | None,
) -> tuple[Sentence, ...]:
    """
    Return the best sentences of the new articles that say what was not told: with numbers first, then names, then
    words.
    """
    origins = {key: at for at, key in enumerate(measure_coverage(story, articles).origins)}
    among = [article for article in new if not is_flagged(article)]
    among = [a for a in among if a.language == language] or [a for a in among if a.language == _main(among)]
    among.sort(key=lambda a: (origins.get(a.id, len(origins)), -a.published_at.timestamp(), a.id))
    known = known or count_document_frequencies([articles[key] for key in story.articles if key in articles])
    agreed = agreed or measure_agreement(story, articles, known)
    found = []
    for article in among[:REPORTS]:
        for candidate in find_candidates(article, agreed):
            novelty = _novelty(candidate.text, candidate.stems, told)
            if novelty:
                found.append((novelty * (0.2 + candidate.score), article.published_at, article, candidate))
    found.sort(key=lambda row: (-row[0], -row[1].timestamp(), row[2].id, row[3].start))
    said = [(s.text, frozenset(stems(s.text, s.language))) for s in shown]
    chosen: list[Sentence] = []
    for _, _, article, candidate in found:
        most = MOST if article.language == language else 1
        if len(chosen) < most and not any(_repeats(candidate, text, about) for text, about in said):
            chosen.append(make_sentence(article, candidate.start, candidate.text))
            said.append((candidate.text, candidate.stems))
    told_above = [make_sentence(article, candidate.start, candidate.text) for _, _, article, candidate in found]
    return tuple(chosen) or tuple(s for s in told_above if s in shown)[:1]


def _repeats(candidate: CandidateSentence, text: str, about: frozenset[str]) -> bool:
    """Whether a sentence says what another says, figures included."""
    return is_repetition(candidate.stems, about) and numbers(candidate.text) <= numbers(text)


def _main(among: Sequence[Article]) -> str:
    languages = [article.language for article in among]
    return max(sorted(set(languages)), key=languages.count, default="und")


def _novelty(text: str, about: frozenset[str], told: KnownFacts) -> float:
    """Return how new a sentence is: 0 if it holds no new number, no new name and few new words."""
    fresh = about - told.words
    new_numbers = [number for number in numbers(text) if number not in told.numbers]
    names = [word for word in words(text)[1:] if word[0].isupper() and fold(word)[:6] in fresh]
    again = any(is_repetition(about, sentence) for sentence in told.sentences)
    if not new_numbers and (again or (not names and len(fresh) < NOVEL)):
        return 0.0
    return min(2, len(new_numbers)) * 1.0 + min(3, len(names)) * 0.4 + min(8, len(fresh)) * 0.1
