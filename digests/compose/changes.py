"""What is new in a story since the reader's last edition: its status, sentences, numbers and outlets."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median_high
from zoneinfo import ZoneInfo

from digests.analysis.gazetteer import countries_in
from digests.analysis.numbers import significant_numbers
from digests.analysis.select import can_be_quoted
from digests.analysis.story_coverage import find_copies, measure_coverage, merge_outlet_names
from digests.analysis.titles import title_without_outlet
from digests.compose.context import ComposeContext
from digests.compose.told import ToldStory, texts_of, was_told
from digests.model.edition import Edition
from digests.model.edition_story import Brief, EditionStory, NumberChange, Sentence
from digests.model.story import Story
from digests.summarise.agreement import Agreement, DocumentFrequencies, rarity
from digests.summarise.figures import has_lower_count
from digests.summarise.headline import tells_news
from digests.summarise.lead import SUMMARY_TEXT_CHARS, CandidateSentence, find_candidates, make_sentence
from digests.summarise.number_changes import changed_numbers
from digests.summarise.repetition import compare_numbers, is_repetition, repeats_headline, says_the_same
from watcher.model import Article
from watcher.text.page_kind import NO_REPORTS
from watcher.text.sentences import sentences as sentences_of
from watcher.text.words import fold, is_unspaced, stems, words

MAX_REPORTS = 12  # new articles that are read
MAX_UPDATES = 2  # sentences that say what is new
FOLLOW_UP_CHARS = 700  # of each of two texts of one outlet that are compared
# Shares of rare words in title and text, and in the title alone, from which on the later text continues the earlier one
FOLLOW_UP_SHARE, FOLLOW_UP_TITLE_SHARE = 0.2, 0.3
SAME_TITLE_SHARE = 0.5  # of the rare words of two headlines of one running story, from which on they are on one event
UNSPACED_FACTOR = 0.7  # for scripts whose words are pairs of characters: two wordings of one thing share fewer of them
NOUNS_WITH_CAPITALS = ("de", "lb")
LONG_WORD = 5  # characters; a headline in title case may leave shorter ones in lower case
MIN_NEW_WORDS = 3  # that a sentence without a new number or name must have


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryChange:
    """How a story relates to the last edition."""

    status: str  # new, developing, quiet
    day: int  # 1 on the first day
    first_seen_at: datetime
    updates: tuple[Sentence, ...] = ()
    number_changes: tuple[NumberChange, ...] = ()
    new_outlets: tuple[str, ...] = ()  # with a report from after that edition, and none before; in time order
    earlier: EditionStory | None = None  # the story as that edition showed it


def compare_with_earlier(
    story: Story,
    articles: Mapping[str, Article],
    summary: Sequence[Sentence],
    agreed: Agreement,
    context: ComposeContext,
    title: str = "",
    is_old: Callable[[Sentence], bool] = lambda _: False,
) -> StoryChange:
    """
    Return whether the reader has seen `story`, and what is new in it since then.

    The reader has seen a story if one of the last editions showed it, in full or as a brief: under its id, under the id
    of a story merged into it, or with one of its articles; also if an edition showed an earlier story of its thread, or
    one that an outlet continues with it (`_find_follow_up`). If several editions showed it, it is compared with the
    latest of them.

    A story that the reader has seen is "developing" if an article that arrived after the last edition has a sentence
    with a new number, a new name or enough new words, else "quiet". Its updates have a new number or name: what only
    says it in other words may be old. Numbers, names and words are new if neither the story's articles of that time nor
    the edition that showed it had them.

    Args:
        articles: The story's and, if still stored, those of the last editions; only those of the window can be new.
        summary: Its sentences are updates only if nothing else is new; the caller then removes them from it.
        is_old: Whether a newer figure replaces one of a sentence; then it is an update only if all others have such.
    """
    stored = (articles[key] for key in story.articles if key in articles)
    reports = [article for article in stored if article.kind not in NO_REPORTS]
    showing = _find_last_showing(story, reports, articles, context)
    earlier = showing.story if showing else None
    times = [article.published_at for article in reports] or [context.window_end]
    times += filter(None, (story.began_at, earlier.first_seen_at if earlier else None))
    first = min(times)
    new_story = StoryChange(status="new", day=day_number(first, context), first_seen_at=first)
    if showing is None:
        return new_story
    not_shown = [article for article in reports if article.id not in showing.article_ids]
    since = context.earlier_editions[0].window_end  # what is new is new since the last edition, whichever showed it
    old = [articles[key] for key in showing.article_ids if key in articles]
    old += [article for article in not_shown if article.fetched_at < since]
    later = [article for article in not_shown if article.fetched_at >= since]
    new = [article for article in later if article.id in context.articles]
    of_window = [*context.select_in_window({article.id: article for article in new}).values()]
    told = f"{title}\n{earlier.title}" if earlier else title  # who knows the earlier headline knows what "the ash" is
    known, before = _known_facts(old, earlier, context.told_in(showing.edition)), _known_sentences(old, earlier)
    has_news, updates = _find_news(story, articles, of_window, known, before, summary, agreed, context, told, is_old)
    # Similar words alone make one story continue another: without news the two may be different events.
    if showing.is_similar_only and not updates:
        return new_story
    new_ids = {article.id for article in new}
    numbers_from = (*updates, *(sentence for sentence in summary if sentence.article_id in new_ids))
    return replace(
        new_story,
        status="developing" if has_news else "quiet",
        updates=updates,
        number_changes=changed_numbers(numbers_from, before),
        new_outlets=_find_new_outlets(old, new, since),
        earlier=earlier,
    )


def _find_new_outlets(old: Sequence[Article], new: Sequence[Article], since: datetime) -> tuple[str, ...]:
    """Return the outlets of what was published `since` then and of nothing before, an outlet with two names once."""
    joined = [article for article in new if article.published_at >= since]
    names = merge_outlet_names([*old, *joined])
    known = {names[article.outlet] for article in old}
    return tuple(dict.fromkeys(names[each.outlet] for each in joined if names[each.outlet] not in known))


def day_number(first: datetime, context: ComposeContext) -> int:
    """Return the day of a story, 1 for the first; a new day begins at the local time at which the window ends."""
    return count_days(first, context.local_date, context.window_end.astimezone(ZoneInfo(context.digest.timezone)))


def count_days(first: datetime, local_date: date, local_end: datetime) -> int:
    """Return the day of a story in the edition of `local_date`, whose window ends at `local_end`, a local time."""
    local = first.astimezone(local_end.tzinfo)
    began = local.date() + timedelta(days=local.time() >= local_end.time())
    return max(1, (local_date - began).days + 1)


def _known_sentences(old: Sequence[Article], earlier: EditionStory | None) -> list[Sentence]:
    """Return the sentences that the reader was shown, then the first sentences of the latest articles in `old`."""
    sentences = [*earlier.updates, *earlier.summary] if earlier else []
    for article in sorted(old, key=lambda a: (a.published_at, a.id), reverse=True)[:MAX_REPORTS]:
        text = article.text[:SUMMARY_TEXT_CHARS]
        spans = sentences_of(text, article.language)
        sentences += [make_sentence(article, start, text[start:end]) for start, end in spans]
    return sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class _Title:
    """The stems of a title, and those of them that are of names."""

    language: str
    stems: frozenset[str]
    names: frozenset[str]


def _read_title(title: str, language: str) -> _Title:
    """
    A name is what begins with a capital, in a title of which a long word begins with none; its first word only before
    another one that does. In German, where nouns begin with one too, no names are found.
    """
    tokens = title.split()
    is_capital = [token.lstrip("\"'“„«‘(")[:1].isupper() for token in tokens]
    is_sentence = language not in NOUNS_WITH_CAPITALS and any(
        token.islower() and len(token) >= LONG_WORD for token in tokens
    )
    starts = zip(tokens, is_capital, [*is_capital[1:2], *is_capital[1:]], strict=False)
    names = [token for token, begins, counts in starts if is_sentence and begins and counts]
    return _Title(
        language=language,
        stems=frozenset(stems(title, language)),
        names=frozenset(stem for name in names for stem in stems(name, language)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Showing:
    """How the latest edition that showed a story showed it; `story` is None if it was a brief."""

    edition: Edition
    story: EditionStory | None
    article_ids: frozenset[str]
    is_similar_only: bool = False  # shown as a story that this one continues by its words alone


def _find_last_showing(
    story: Story, reports: Sequence[Article], articles: Mapping[str, Article], context: ComposeContext
) -> _Showing | None:
    """Return how the reader saw `story` last, as `compare_with_earlier` says; None if it is new to the reader."""
    titles = [_read_title(article.title, article.language) for article in reports]
    for edition in context.earlier_editions:
        shown, brief_ids = _find_in_edition(story, edition, titles, context.frequencies)
        if shown or brief_ids:
            return _Showing(
                edition=edition, story=shown, article_ids=frozenset(shown.article_ids if shown else brief_ids)
            )
    if context.previous is None:
        return None
    told: list[EditionStory | Brief] = [*context.previous.stories, *context.previous.briefs]
    if story.thread and any(shown.thread == story.thread for shown in told):
        return None  # it is another event of a running story that the reader knows
    continued = _find_follow_up(story, reports, articles, context)
    if continued is None:
        return None
    return _Showing(
        edition=context.previous, story=continued, article_ids=frozenset(continued.article_ids), is_similar_only=True
    )


def _find_in_edition(
    story: Story, edition: Edition, titles: Sequence[_Title], frequencies: DocumentFrequencies
) -> tuple[EditionStory | None, tuple[str, ...]]:
    """
    Return the story as `edition` showed it, or the article ids of its line; (None, ()) if it showed neither.

    Else it is the story of its thread that its `titles` are most like, by the middle one of them: one title alone may
    have the words of another event of a war ("Starmer will let US use UK bases for attacks on Iranian missile sites").
    """
    article_ids, story_ids = set(story.articles), {story.id, *story.merged_ids}
    rows = [
        (shown.id == story.id, shown.id in story_ids, len(article_ids & set(shown.article_ids)), -shown.number, shown)
        for shown in edition.stories
    ]
    best = max(rows, key=lambda row: row[:4], default=None)
    if best and any(best[:3]):
        return best[4], ()
    briefs = (brief for brief in edition.briefs if brief.id in story_ids or article_ids & set(brief.article_ids))
    if brief := next(briefs, None):
        return None, brief.article_ids
    if later := article_ids.intersection(shown.latest.article_id for shown in edition.stories if shown.latest):
        return None, tuple(sorted(later))  # its headline stood below another story
    if not story.thread:
        return None, ()
    told: list[EditionStory | Brief] = [*edition.stories, *edition.briefs]
    before = [(_middle_share(titles, shown, frequencies), shown) for shown in told if shown.thread == story.thread]
    share, nearest = max(before, key=lambda row: row[0], default=(0.0, None))
    if nearest is None or share < SAME_TITLE_SHARE:
        return None, ()  # nothing, or only another event of the same running story
    return (nearest, ()) if isinstance(nearest, EditionStory) else (None, nearest.article_ids)


def repeats_last_edition(story: Story, headline: Article, context: ComposeContext) -> bool:
    """
    Whether the last edition showed a story whose headline, the title of the report `headline`, says nothing that was
    not told then: the report had come by then, or its words and numbers are those of headlines and sentences of then.
    """
    edition, article_ids = context.previous, set(story.articles)
    if edition is None:
        return False
    ids = {story.id, *story.merged_ids}
    shown = next(
        (each for each in edition.told if each.id in ids or not article_ids.isdisjoint(each.article_ids)), None
    )
    if shown is None:
        return False
    if headline.fetched_at < edition.window_end:
        return True
    title, language = title_without_outlet(headline), headline.language
    of_then = (context.earlier_articles[key] for key in shown.article_ids if key in context.earlier_articles)
    texts = [*texts_of(shown), *((each.title, each.language) for each in of_then)]
    known = {stem for text, tag in texts if tag == language for stem in stems(text, language)}
    _, is_number_new = compare_numbers(title, "\n".join(text for text, tag in texts if tag == language), language)
    return not is_number_new and is_repetition(stems(title, language), known)


def _middle_share(titles: Sequence[_Title], shown: EditionStory | Brief, frequencies: DocumentFrequencies) -> float:
    """
    Return the middle one of the shares of rare words that the titles of a story have in common with the nearest title
    of one that was shown, each with those in its language. Two that have only names in common count as different: who
    is named in both may do another thing ("North Korean defectors say sorry ...", a medal for Kim Jong-un).
    """
    if isinstance(shown, EditionStory):
        theirs = [(shown.title_language, shown.title), *((each.language, each.title) for each in shown.mentions)]
    else:
        theirs = [(shown.language, shown.title)]
    others = [_read_title(text, tag) for tag, text in theirs]

    def share(ours: _Title, other: _Title) -> float:
        if ours.stems & other.stems <= ours.names | other.names:
            return 0.0
        return shared_rarity(ours.stems, other.stems, frequencies.get(ours.language, {}))

    shares = [
        max(share(ours, other) for other in others if other.language == ours.language)
        for ours in titles
        if any(other.language == ours.language for other in others)
    ]
    return median_high(shares) if shares else 0.0


def may_continue(
    shown: EditionStory, titles: Iterable[tuple[str, str, Set[str]]], frequencies: DocumentFrequencies
) -> bool:
    """
    Whether one of `titles`, each with its language and stems, may be on an event that was shown: it has as many rare
    words of a headline then as that of a text that continues another, and the two name no different countries.
    """
    told = [(shown.title_language, shown.title), *((each.language, each.title) for each in shown.mentions)]
    known = [(language, title, set(stems(title, language))) for language, title in told]
    return any(
        shared_rarity(about, words_of_other, frequencies.get(language, {})) >= FOLLOW_UP_TITLE_SHARE
        and not _name_different_countries(text, other, language)
        for text, language, about in titles
        for tag, other, words_of_other in known
        if tag == language
    )


def _name_different_countries(one: str, other: str, language: str) -> bool:
    first, second = (countries_in(text, language) for text in (one, other))
    return bool(first and second) and first.isdisjoint(second)


def _find_follow_up(
    story: Story, reports: Sequence[Article], articles: Mapping[str, Article], context: ComposeContext
) -> EditionStory | None:
    """
    Return the story of the last edition that a new article of one of its outlets continues; None if there is none.

    Both are about the same country, in similar words. Grouping may keep them apart for lack of other reports.
    """
    countries = set(context.find_countries(story))
    best: tuple[float, EditionStory] | None = None
    for earlier in context.earlier_editions[0].stories:
        if not countries.intersection(earlier.place_codes):
            continue
        mentioned = (articles[mention.article_id] for mention in earlier.mentions if mention.article_id in articles)
        by_outlet = {(article.outlet, article.language): article for article in mentioned}
        for article in reports:
            before = by_outlet.get((article.outlet, article.language))
            if before is None or not can_be_quoted(before) or not can_be_quoted(article):
                continue
            share = follow_up_share(article, before, context.frequencies)
            if share and (best is None or share > best[0]):
                best = share, earlier
    return best[1] if best else None


def follow_up_share(article: Article, before: Article, frequencies: DocumentFrequencies) -> float:
    """
    Return the share of rare words that a text has in common with one that it continues; 0 if it does not.

    On four real days six stories had less than .22 of their titles in common (the outlet's name aside), and all were on
    another event ("Trump says ..."); two of the sample press have .23 (in Japanese, whose pairs count less) and .33.
    """
    share = _rare_share(article, before, frequencies, chars=FOLLOW_UP_CHARS)
    of_titles = _rare_share(article, before, frequencies, chars=0)
    factor = UNSPACED_FACTOR if is_unspaced(article.title) else 1.0
    return share if share >= FOLLOW_UP_SHARE * factor and of_titles >= FOLLOW_UP_TITLE_SHARE * factor else 0.0


def _rare_share(one: Article, other: Article, frequencies: DocumentFrequencies, *, chars: int) -> float:
    """Return the share of words, 0 to 1 and weighted by rarity, common to two titles plus `chars` of their texts."""
    first, second = (
        set(stems(f"{title_without_outlet(article)}\n{article.text[:chars]}", article.language))
        for article in (one, other)
    )
    return shared_rarity(first, second, frequencies.get(one.language, {}))


def shared_rarity(first: Set[str], second: Set[str], in_language: Mapping[str, float]) -> float:
    """Return the share, 0 to 1, of the stems of one text that are in another, weighted by how rare they are."""
    weight = {stem: rarity(in_language.get(stem, 0.0)) for stem in first | second}
    shorter = min(sum(weight[stem] for stem in stems_of_one) for stems_of_one in (first, second))
    return sum(weight[stem] for stem in first & second) / shorter if shorter else 0.0


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """
    What the reader may know: numbers and stems of the earlier texts, the stems of each sentence shown of the story, and
    what the edition told of all stories.
    """

    numbers: frozenset[str]
    stems: frozenset[str]
    sentences: tuple[frozenset[str], ...]
    told: tuple[ToldStory, ...]


def _known_facts(old: Sequence[Article], earlier: EditionStory | None, told: tuple[ToldStory, ...]) -> KnownFacts:
    """Return what the reader knows: from the articles before, and from what the last edition showed, `told`."""
    texts = [(f"{article.title}\n{article.text}", article.language) for article in old]
    shown = [(s.text, s.language) for s in (*earlier.summary, *earlier.updates)] if earlier else []
    if earlier is not None:
        texts += [*shown, *((mention.title, mention.language) for mention in earlier.mentions)]
        texts.append((earlier.title, earlier.title_language))
    return KnownFacts(
        numbers=frozenset(number for text, _ in texts for number in significant_numbers(text)),
        stems=frozenset(stem for text, language in texts for stem in stems(text, language)),
        sentences=tuple(frozenset(stems(text, language)) for text, language in shown),
        told=told,
    )


def _find_news(
    story: Story,
    articles: Mapping[str, Article],
    new: Sequence[Article],
    known: KnownFacts,
    before: Sequence[Sentence],
    summary: Sequence[Sentence],
    agreed: Agreement,
    context: ComposeContext,
    title: str,
    is_old: Callable[[Sentence], bool],
) -> tuple[bool, tuple[Sentence, ...]]:
    """
    Return whether any sentence has news, and those with most of it, at most `MAX_UPDATES` (one if in a foreign
    language); numbers count most. Each has a new number or name, and says not again what headline and summary say.
    """
    covered = measure_coverage(story, articles)
    rank_of_origin = {key: rank for rank, key in enumerate(covered.origins)}
    quotable = [article for article in new if can_be_quoted(article)]
    quotable = list(filter(tells_news, quotable)) or quotable
    quotable = [article for article in quotable if article.outlet in covered.independent] or quotable
    copies = find_copies(story, {article.id: article for article in quotable}, covered.origins)
    quotable = [article for article in quotable if article.id not in copies]
    languages = [article.language for article in quotable]
    most_common = max(sorted(set(languages)), key=languages.count, default="und")
    readers_languages = context.languages_for("sentences", {article.id: article for article in quotable})
    language = next((tag for tag in readers_languages if tag in languages), most_common)
    sources = [article for article in quotable if article.language == language]
    sources.sort(key=lambda a: (rank_of_origin.get(a.id, len(rank_of_origin)), -a.published_at.timestamp(), a.id))
    rated = [
        (news.value * (0.2 + candidate.score), news, candidate)
        for article in sources[:MAX_REPORTS]
        for candidate in find_candidates(article, agreed, known.sentences, whole=context.whole)
        if (news := _measure_news(candidate, known)).value
    ]
    rated.sort(key=lambda row: (-row[0], -row[-1].article.published_at.timestamp(), row[-1].article.id, row[-1].start))
    telling = [candidate for _, news, candidate in rated if news.has_fact]
    novel = {each.sentence for each in telling if not repeats_headline(each.text, language, title, language)}
    # What follows a sentence may refer to it, so it goes with it.
    last = max((at for at, sentence in enumerate(summary) if sentence in novel), default=len(summary))
    others = [candidate for candidate in telling if not is_old(candidate.sentence)] or telling
    max_updates = MAX_UPDATES if language in readers_languages else 1
    return bool(rated), _choose_updates(others, before, summary, title, max_updates) or tuple(summary[last:])


def _choose_updates(
    candidates: Sequence[CandidateSentence],
    before: Sequence[Sentence],
    summary: Sequence[Sentence],
    title: str,
    limit: int,
) -> tuple[Sentence, ...]:
    """
    Return the first of `candidates` that add something to the summary and to each other, report by report.

    They add something to all that headline and summary say together, unless they have a number that the sentences
    `before` had otherwise.
    """
    shown = [(sentence.text, frozenset(stems(sentence.text, sentence.language))) for sentence in summary]
    chosen: list[Sentence] = []
    for candidate in candidates:
        if len(chosen) == limit:
            break
        text, language, figures = candidate.text, candidate.article.language, significant_numbers(candidate.text)
        told = (title, *(each.text for each in summary if each.language == language))
        # It stands below the summary, but at a glance without it.
        stands_apart = candidate.follows(chosen) or not candidate.refers_back(
            {stem for each in told for stem in stems(each, language)}
        )
        fits = candidate.can_follow((*summary, *chosen), stems(title, language)) and stands_apart
        above = () if changed_numbers((candidate.sentence,), before) else told
        above = (*above, *(each.text for each in chosen if each.language == language))
        says_again = bool(above) and repeats_headline(text, language, "\n".join(above), language)
        counted = (*summary, *chosen, *(make_sentence(candidate.article, 0, line) for line in title.splitlines()))
        if not fits or says_again or has_lower_count(candidate.sentence, counted):
            continue
        if not any(
            says_the_same(candidate.stems, shown_stems) and figures <= significant_numbers(other)
            for other, shown_stems in shown
        ):
            chosen.append(candidate.sentence)
            shown.append((text, candidate.stems))
    rank = [sentence.article_id for sentence in chosen]
    return tuple(sorted(chosen, key=lambda sentence: (rank.index(sentence.article_id), sentence.offset)))


@dataclass(frozen=True, slots=True)
class _News:
    """How much news a sentence has, 0 for none, and whether that is a number or a name and not only other words."""

    value: float
    has_fact: bool


def _measure_news(candidate: CandidateSentence, known: KnownFacts) -> _News:
    """
    A sentence without a new number has no news if it repeats one, or has few new words and no new name, and none has
    that says what the last edition told of whatever story: grouping may have kept that apart.

    Where letters have no case a name cannot be told from other words; what has enough new ones counts as having one.
    """
    text = candidate.text
    if was_told(text, candidate.article.language, known.told):
        return _News(0.0, has_fact=False)
    new_stems = candidate.stems - known.stems
    new_numbers = [number for number in significant_numbers(text) if number not in known.numbers]
    new_names = [word for word in words(text)[1:] if word[0].isupper() and fold(word)[:6] in new_stems]
    is_repeated = any(is_repetition(candidate.stems, sentence) for sentence in known.sentences)
    if not new_numbers and (is_repeated or (not new_names and len(new_stems) < MIN_NEW_WORDS)):
        return _News(0.0, has_fact=False)
    value = min(2, len(new_numbers)) * 1.0 + min(3, len(new_names)) * 0.4 + min(8, len(new_stems)) * 0.1
    has_case = 2 * sum(map(str.islower, text)) > len(text)
    return _News(value, has_fact=bool(new_numbers or new_names) or not has_case)
