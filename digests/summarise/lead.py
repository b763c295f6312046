"""The summary of a story: one to three sentences of one report, word for word."""

import math
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import chain, islice

from digests.analysis.select import display_length, is_flagged
from digests.analysis.story_coverage import find_copies, measure_coverage
from digests.model.edition_story import Sentence
from digests.model.story import Story
from digests.summarise import readable
from digests.summarise.agreement import Agreement, DocumentFrequencies, local_angle_test, total_support
from digests.summarise.openings import first_sentences
from digests.summarise.repetition import find_share_told, is_repetition, repeats_headline, says_the_same
from watcher.model import Article
from watcher.text.words import stems

MAX_WIDTH = 420  # of a summary, in narrow characters
MAX_SENTENCES = 3
MAX_QUOTED_WIDTH = 600  # of all sentences that an edition quotes from one article
FOREIGN_SENTENCES = 1  # of a summary in a language that cannot be shown to the reader
SUMMARY_TEXT_CHARS = 4000  # of an article: a summary never comes from further down
READ_SENTENCES = 12
MAX_APART = 4  # sentences that may be quoted without the one before: further down, too much has been said before
# Of the headline, by the first sentence. Of 420 stories of ten days it changed 23: 13 are better, 3 worse. With 0.15
# four of the better ones stay as they were, with 0.25 five more are worse.
MIN_SHARE_TOLD = 0.2
# The same for a sentence that adds something, of a report whose title is on something else than the headline: three
# fifths, or it may be on another step. Of 1,600 stories eight are told so: five are better, one is worse.
MIN_SHARE_FAR = 0.6
MIN_KNOWN = 2  # words of such a sentence that headline and summary have: it speaks of what they speak of
MAX_SCORED_REPORTS = 12  # of one language, whose sentences are scored
FALLOFF = 0.82  # factor for each further sentence of an article: news says the main thing first
FARTHEST_FACTOR = 0.4  # for a report whose title has no word of the headline, and for sentences without one
OLDER_FACTOR = 0.5  # for the first report, if the headline is of a later one; a report between them has more
MIN_NEARNESS = 0.7  # to the headline, of a report that may tell it better than those that only repeat it
MIN_TITLE_WIDTH = 25  # of a headline that reads well, and of a first sentence that says something
MIN_WORTH = 0.4  # of the first sentence's score that a further one must reach


@dataclass(frozen=True, slots=True)
class CandidateSentence:
    """A sentence that can stand alone, with its place, stems and score, and what the reader must know before it."""

    article: Article
    start: int
    text: str
    stems: frozenset[str]
    score: float
    previous: int  # where the sentence before it starts; -1 if none does that tells more than the reader knows
    known: int  # words of it that the reader must know, unless that sentence is quoted
    is_bound: bool  # to the sentence before it, whatever the reader knows
    names: frozenset[str]  # this and the next as `find_needs` returns them
    needs: tuple[frozenset[str], ...]

    @property
    def sentence(self) -> Sentence:
        return make_sentence(self.article, self.start, self.text)

    def can_follow(self, quoted: Collection[Sentence], known: Iterable[str]) -> bool:
        """Whether it fits, and says whom it means to a reader of `quoted` and of a headline with the stems `known`."""
        key, told_names = self.article.id, set(known)
        before = [s for s in quoted if s.article_id != key or s.offset < self.start]
        told_names.update(stem for s in before for stem in stems(s.text, s.language))
        is_known = len(self.stems & told_names) >= self.known and not (self.is_bound or self.refers_back(told_names))
        return self.names <= told_names and (self.follows(before) or is_known) and fits_limit(self.sentence, quoted)

    def follows(self, quoted: Iterable[Sentence]) -> bool:
        """Whether the sentence before it is quoted."""
        return any((s.article_id, s.offset) == (self.article.id, self.previous) for s in quoted)

    def refers_back(self, known: Collection[str]) -> bool:
        """Whether it means somebody or something that only the sentence before it names, unless `known` stems do."""
        return any(need.isdisjoint(known) for need in self.needs)


def fits_limit(sentence: Sentence, quoted: Iterable[Sentence]) -> bool:
    """Whether an edition that quotes `quoted` may quote a sentence too: its article's stay under `MAX_QUOTED_WIDTH`."""
    same = {s.offset: display_length(s.text) for s in (sentence, *quoted) if s.article_id == sentence.article_id}
    return sum(same.values()) <= MAX_QUOTED_WIDTH


def choose_summary(
    story: Story,
    articles: Mapping[str, Article],
    agreed: Agreement,
    *,
    languages: Sequence[str],
    title: str = "",
    can_show: Callable[[Sentence], bool] = lambda _: True,
    frequencies: DocumentFrequencies | None = None,
    whole: Container[str] = (),
) -> tuple[Sentence, ...]:
    """
    Return the one to three sentences that best cover what the independent reports of `story` agree on, in their order.

    All are from one report, so that they read well; each is verbatim at its offset. It is the one whose title is
    the headline, `title`, if that has a suitable sentence, else one in the first of `languages`, those that can be
    shown to the reader, that has one, else one sentence in the story's most frequent language. Copies come after
    their origins. A local angle tells a story only in the language of the headline, if no other report in it has a
    suitable sentence. Empty if no sentence can stand alone. Sentences that only repeat the headline and those that
    `can_show` refuses are not used; those that repeat it in other words come after those of other reports. One that
    is beside the headline's point, as `frequencies` tells which of its words the day's other reports have too, is
    used only if no report has another. `whole`: as for `find_candidates`.
    """
    texts = {key: article for key, article in articles.items() if not article.is_headline_only}
    present = [texts[key] for key in story.articles if key in texts]
    headed = [article for article in articles.values() if title and title in article.title]
    groups = list(_groups_to_try(story, texts, languages, headed))

    def find_share(text: str, language: str) -> float:
        """Return how much of the headline a text tells, 0 to 1: nothing in another language."""
        if headed and language != headed[0].language:
            return 0.0
        return find_share_told(title, text, language, (frequencies or {}).get(language, {}))

    find = cache(partial(find_candidates, agreed=agreed, whole=whole))  # an article is tried several times
    best_of = partial(_best_sentences, find=find, title=title, headed=headed, can_show=can_show, find_share=find_share)
    value_of = partial(_selection_value, present=present, headed=headed, agreed=agreed, find_share=find_share)
    # A report of the same state, in the headline's language, that tells more comes before one that only says it again.
    spoken = {article.language for article in headed} or {*languages[:1]}
    near = [
        [
            each
            for each in among
            if each.language in spoken and _find_nearness(each, present, headed, agreed) >= MIN_NEARNESS
        ]
        for among in groups
    ]
    for among, may_repeat, share in _order_attempts(groups, near):
        limits = [(each, MAX_SENTENCES if each.language in languages else FOREIGN_SENTENCES) for each in among]
        scored = limits[:MAX_SCORED_REPORTS]
        summaries = (best_of(each, limit=limit, may_repeat=may_repeat, min_share=share) for each, limit in scored)
        valued = ((value_of(chosen), chosen) for chosen in summaries if chosen)
        # Of equal ones that of the freshest report.
        value, best = max(valued, key=lambda row: (row[0], row[1][0].article.published_at), default=(0.0, ()))
        if value > 0:
            return tuple(candidate.sentence for candidate in best)
    return ()


def _order_attempts(
    groups: Sequence[list[Article]], near: Sequence[list[Article]]
) -> Iterator[tuple[list[Article], bool, float]]:
    """
    Yield reports to try, whether they may say the headline again, and how much of it the first sentence must tell.

    `groups` are those of `_groups_to_try`, and `near` those of each that are near the headline. First comes what speaks
    of the headline: "Preppy clothier is the first …" under "J Crew files for bankruptcy" does not.
    """
    attempts = [(near[0], False, MIN_SHARE_TOLD)]
    for among, near_ones in zip(groups[1:], near[1:], strict=True):  # language by language
        attempts += [(near_ones, False, MIN_SHARE_TOLD), (among, False, MIN_SHARE_FAR)]
        attempts += [(groups[0], True, MIN_SHARE_TOLD), (among, True, MIN_SHARE_TOLD)]
    yield from attempts
    yield from ((among, may_repeat, 0.0) for among, may_repeat, share in attempts if share == MIN_SHARE_TOLD)


def _groups_to_try(
    story: Story, articles: Mapping[str, Article], languages: Sequence[str], headed: Sequence[Article]
) -> Iterator[list[Article]]:
    """
    Yield reports that may tell a story: those under its headline, then language by language those on the event, then
    their copies. Those with a local angle come behind the others if they are in the language of the headline, or alone.
    """
    by_language = reports_by_language(story, articles, languages)
    origins = {article.id for among in by_language.values() for article in among}
    yield [article for among in by_language.values() for article in among if article in headed]
    is_local_angle = local_angle_test(story, articles)
    for language, among in by_language.items():
        yield [article for article in among if not is_local_angle(article)]
        if any(language == each.language for each in headed):
            yield list(filter(is_local_angle, among))
    copies = (articles[key] for key in story.articles if key in articles and key not in origins)
    yield [article for article in copies if not (is_flagged(article) or is_local_angle(article))]
    if all(map(is_local_angle, chain.from_iterable(by_language.values()))):
        yield from by_language.values()


def reports_by_language(
    story: Story, articles: Mapping[str, Article], languages: Sequence[str]
) -> dict[str, list[Article]]:
    """
    Return the reports by language, `languages` first, then the story's: those of independent outlets, if there are any,
    the origin of each, without its copies.
    """
    covered = measure_coverage(story, articles)
    order = [articles[key] for key in covered.origins]
    order += [articles[key] for key in story.articles if key in articles and key not in set(covered.origins)]
    plain = [article for article in order if not is_flagged(article)]
    copies = find_copies(story, {article.id: article for article in plain}, covered.origins)
    plain = [article for article in plain if article.id not in copies]
    # Who carries another's headline, or is of its owner, comes after it.
    plain = [each for each in plain if each.is_headline_only or each.outlet in covered.independent] or plain
    return {
        language: [article for article in plain if article.language == language]
        for language in (*languages, *covered.languages)
    }


def find_candidates(
    article: Article, agreed: Agreement, stem_sets: Iterable[Collection[str]] = (), *, whole: Container[str] = ()
) -> list[CandidateSentence]:
    """
    Return the scored sentences of an article's beginning that can stand alone; `stem_sets` are of known texts.

    `whole` has the ids of articles whose text is whole without a mark at its end (`standfirsts.find_whole`): if it is
    one sentence, it may stand alone.
    """
    text, language = article.text[:SUMMARY_TEXT_CHARS], article.language
    stem_sets = (stems(article.title, language), *stem_sets)
    candidates = []
    value, previous, count = 1.0, -1, 0
    for start, end, is_clear in islice(first_sentences(article, text), READ_SENTENCES):
        if end == SUMMARY_TEXT_CHARS < len(article.text):  # cut
            break
        words, before = text[start:end], text[:start].rstrip(" ")
        above = before.strip().rpartition("\n")[2]  # "Claim": the sentence below is checked, not told
        is_standfirst = article.id in whole and not text[:start].strip() and not text[end:].strip()
        is_alone = is_clear and readable.stands_alone(words, language, needs_end=not is_standfirst)
        is_alone = is_alone and not readable.is_caption(text, end)
        if is_alone and above.strip(" :").lower() not in readable.words_for_language("claim", language):
            about = stems(words, language)
            support = total_support(agreed, about, language) / math.sqrt(max(8, len(set(about))))
            names, needs = readable.find_needs(words, before, language)
            is_far = count >= MAX_APART or not readable.words_for_language(
                "link" if previous >= 0 else "loose", language
            )
            is_short = previous >= 0 and display_length(words) < readable.MIN_ALONE
            if not count:
                is_answer = readable.ASKED.search(before) or readable.adds_to_another(words, language)
                if not is_answer:
                    needs = readable.find_first_needs(words, language)
                needs += readable.find_generic_needs(words, article.title, language)
                names = frozenset()
            is_bound = count > 0 and (is_far or is_short)
            known = MIN_KNOWN if previous >= 0 else int(not readable.words_for_language("loose", language))
            score, unique = support * value, frozenset(about)
            candidates.append(
                CandidateSentence(article, start, words, unique, score, previous, known, is_bound, names, needs)
            )
        # No place, no line above the text, no notice.
        is_prose = language in readable.SHORT_LANGUAGES or readable.ENDING.search(words)
        if is_prose and display_length(words) >= MIN_TITLE_WIDTH and not readable.FURNITURE.search(words):
            count += 1
            if not any(is_repetition(stems(words, language), each) for each in stem_sets):
                previous = start
        value *= FALLOFF
    return candidates


def make_sentence(article: Article, start: int, text: str) -> Sentence:
    """Return the sentence `text` of `article` at offset `start`, with its source."""
    same = {name: getattr(article, name) for name in ("outlet", "url", "published_at", "language")}
    return Sentence(text=text, article_id=article.id, offset=start, **same)


def _selection_value(
    chosen: Sequence[CandidateSentence],
    present: Sequence[Article],
    headed: Sequence[Article],
    agreed: Agreement,
    find_share: Callable[[str, str], float],
) -> float:
    """
    Return the value of a report's sentences; less than their sum, or long reports would always win.

    It is less for a report that is older than the headline, as it may tell an earlier state, and for one whose title
    or sentences say something else. `headed`: the reports with the headline.
    """
    article = chosen[0].article
    total = sum(candidate.score / (1 + index) for index, candidate in enumerate(chosen))
    share = find_share(" ".join(each.text for each in chosen), article.language)
    return total * _find_nearness(article, present, headed, agreed) * (FARTHEST_FACTOR + (1 - FARTHEST_FACTOR) * share)


def _find_nearness(article: Article, present: Sequence[Article], headed: Sequence[Article], agreed: Agreement) -> float:
    """Return how near a report is to one of those with the headline; 1 if there is no headline."""
    first = next(iter(present), article)
    return max((_nearness(article, each, agreed, first=first) for each in headed), default=1.0)


def _nearness(article: Article, headed: Article, agreed: Agreement, *, first: Article) -> float:
    """
    Return how near a report is to the one with the headline, by their titles' words and their times, 0 to 1.

    `first`: the story's first report.
    """
    if article.language != headed.language:
        return 1.0
    wanted, found = (set(stems(each.title, each.language)) for each in (headed, article))
    total = total_support(agreed, wanted, headed.language)
    share = total_support(agreed, wanted & found, headed.language) / total if total else 1.0
    age, whole = headed.published_at - article.published_at, headed.published_at - first.published_at
    earlier = min(1.0, age / whole) if age and whole > timedelta() else 0.0
    return (FARTHEST_FACTOR + (1 - FARTHEST_FACTOR) * share) * (1 - (1 - OLDER_FACTOR) * max(0.0, earlier))


def _best_sentences(
    article: Article,
    *,
    find: Callable[[Article], Iterable[CandidateSentence]],
    title: str,
    headed: Sequence[Article],
    limit: int,
    can_show: Callable[[Sentence], bool],
    may_repeat: bool,
    min_share: float,
    find_share: Callable[[str, str], float],
) -> tuple[CandidateSentence, ...]:
    """
    Return the best sentences of one article, in its order, that fit and do not repeat the headline or each other.

    `may_repeat`: they may say in other words what the headline says. `min_share`: the first that is chosen tells at
    least so much of what the headline says.
    """
    chosen: list[CandidateSentence] = []
    above, title_language = title or article.title, headed[0].language if title and headed else article.language
    known = stems(above, article.language)
    told_stems = set(known)
    room = MAX_WIDTH
    for candidate in sorted(find(article), key=lambda c: (-c.score, c.start)):
        if len(chosen) == limit or (chosen and candidate.score < MIN_WORTH * chosen[0].score):
            break
        can_follow = candidate.can_follow([each.sentence for each in chosen], known)
        can_follow = can_follow and can_show(candidate.sentence)
        is_on_headline = bool(chosen) or not min_share or find_share(candidate.text, article.language) >= min_share
        is_new = not is_repetition(candidate.stems, told_stems)
        is_new = is_new and not any(says_the_same(candidate.stems, each.stems) for each in chosen)
        if not may_repeat and repeats_headline(candidate.text, article.language, above, title_language):
            if not chosen:
                return ()  # what the report says first is what the headline says; what it says next may be older
            is_new = False
        if can_follow and is_new and is_on_headline and display_length(candidate.text) <= room:
            chosen.append(candidate)
            told_stems |= candidate.stems
            room -= display_length(candidate.text) + 1
    return tuple(sorted(chosen, key=lambda c: c.start))
