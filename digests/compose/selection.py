"""Chooses the stories that an edition shows: in full, listed under others, or in one line."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import chain

from digests.analysis.preferences import match_section_rule
from digests.analysis.select import is_flagged
from digests.analysis.titles import title_without_outlet
from digests.cluster.neighbours import MIN_MEAN
from digests.compose.changes import FOLLOW_UP_TITLE_SHARE, repeats_last_edition, shared_rarity
from digests.compose.context import ComposeContext
from digests.compose.rank import NO_NEIGHBOURS, POINTS, PROBABLE, RankedStory, is_light
from digests.compose.story import compose_story, find_headline, is_headline_readable
from digests.model.edition_story import EditionStory
from digests.model.story import Story
from digests.settings.digests import DigestSettings, SectionRuleSettings
from digests.settings.topics import Topic
from digests.summarise.differences import is_one_aspect, numbers_in
from digests.summarise.headline import is_informative
from digests.summarise.repetition import is_obituary, tells_same_event
from watcher.text.words import stems

MAX_RELATED = 3  # stories listed under one story
# Of the full stories: as many are about one country, unless places are left, so that one war does not fill an edition;
# and as many are listed under a story whose running story fills the day.
BLOCK_SHARE = 0.5
# Stories in full of a topic, at most, unless a place is left that no other story takes. An edition of international
# news leads with what happened in the world: of 24 stories of two real days seven were phones and consoles.
USUAL_MOST: Mapping[Topic, int] = {"sport": 2, "technology": 2, "entertainment": 2}
LIGHT_SHARE = 0.25  # of the full stories: as many are on light topics together, in the same way
FAMILY_SHARE = 0.25  # of the lines: as many are of one running story
FOREIGN_SHARE = 0.25  # of the lines: as many are in languages that the reader cannot read, unless places are left
MIN_BLOCK_OUTLETS = 3  # of each story beyond `MAX_RELATED`, and of one that replaces a near one without a sentence
# Expected to report a further story of one running story that is told in full: as many as the country limit permits.
MIN_SIBLING_OUTLETS = 5
# Of the score of the best one, and as an editor's mark ("news of one country or trade" is 1, "a line" 2). A story
# that has less of both, and ranks behind as many as the edition has places, takes none in full (docs/decisions/0070).
MIN_WORTH, MIN_MARK = 1 / 3, 1.5
MAX_BARE = 100  # stories that are composed, and turn out to have nothing but a headline
QUIET_FACTOR = 2  # quiet stories (nothing is new in them) shown as briefs for each story shown in full, at most
MAX_CHECKED = 100  # stories without a place that are compared with those that are told
MAX_WATCHED = 10  # watched stories shown as briefs beyond the digest's number of briefs


@dataclass(slots=True)
class StorySelection:
    """The stories that an edition shows, best first; each story occurs once at most."""

    main: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # shown in full
    # Stories listed under a main story, by its id.
    related: dict[str, list[RankedStory]] = field(default_factory=lambda: defaultdict(list))
    briefs: list[RankedStory] = field(default_factory=list)
    quiet: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)
    foreign: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # briefs that rank as `main` do
    foreign_lines: list[RankedStory] = field(
        default_factory=list
    )  # that have a line, others than those of `foreign` among them
    quiet_lines: list[tuple[RankedStory, EditionStory]] = field(default_factory=list)  # the same of `quiet`
    enough_shown: set[str] = field(default_factory=set)  # ids of stories that waited for places that are left
    told_before: set[str] = field(default_factory=set)  # the same of those that say what the last edition told


def select_stories(ranked: Sequence[RankedStory], context: ComposeContext, anchors: set[str]) -> StorySelection:
    """
    Choose the stories to show from `ranked`, best first, and add their anchors to `anchors`.

    Stories that the reader follows come first. They take no place, and are shown in full whenever they have news.
    Next are those with a `must` phrase, then the others. Of a topic as many are shown as the digest's `most` has,
    else `USUAL_MOST`, of all light ones a quarter, of a country half of the stories, and more if places are left. A
    section rule takes no more than its `most`. A story of which only its headline can be shown is a brief, unless
    the reader follows it or wants its phrase. A quiet story (nothing is new) is shown as a brief and takes no
    place, and so is one that the reader cannot read. A story can only be a brief if all its articles are flagged
    (videos). Of a thread, the first story with news is shown, with up to `MAX_RELATED` others listed under it, or
    more if they are large. A story without a title is not shown.
    """
    queue = _with_readable_parts_first(ranked, context)
    queue.sort(key=lambda each: (not each.followed, not each.must_phrases))
    places = _Places(queue, context, anchors)
    for each in queue:
        places.offer(each)
    places.offer_left_by_countries()
    places.offer_left_places()
    # Only now is it known which threads are told in full.
    for each in places.bare:
        places.list_bare(each)
    selection = places.selection
    order = {each.story.id: number for number, each in enumerate(queue)}
    # Stories of `bare` were appended that rank before others in the list.
    pending = sorted(places.pending, key=lambda each: order[each.story.id])
    _attach_quiet_to_thread(selection, places.shown_by_family)
    selection.told_before = _find_told_before(
        chain(pending, *selection.related.values(), *places.spare.values()), context
    )
    pending = _leave_out_told(selection, pending, places.spare, context)
    _list_under_nearest(selection, context)
    _fill_briefs(selection, pending, places.repeated, context)
    _leave_out_listed(selection)
    selection.main = [(each, _without_told_later(shown, selection.main)) for each, shown in selection.main]
    selection.main.sort(
        key=lambda pair: (
            is_light(pair[1].topic, context.digest),
            -pair[0].score,
            pair[0].story.id,
        )
    )
    return selection


def _with_readable_parts_first(ranked: Sequence[RankedStory], context: ComposeContext) -> list[RankedStory]:
    """
    Return the stories in order, with the best part of a group that the reader can read before a higher foreign one.

    Grouping parts the reports of one event by languages, which have few words in common.
    """
    parts: defaultdict[str, list[RankedStory]] = defaultdict(list)
    for each in ranked:
        parts[_group_of(each.story.id)].append(each)
    place = {each.story.id: float(number) for number, each in enumerate(ranked)}
    for own in parts.values():
        if len(own) > 1 and _is_foreign(own[0], context):
            readable = next((each for each in own if not _is_foreign(each, context)), own[0])
            place[readable.story.id] = place[own[0].story.id] - 0.5
    return sorted(ranked, key=lambda each: place[each.story.id])


class _Places:
    """The places of an edition, which are offered to one story after the other."""

    def __init__(self, ranked: Sequence[RankedStory], context: ComposeContext, anchors: set[str]) -> None:
        """Start with no story shown; the anchors (ids for links) of those that get a place are added to `anchors`."""
        self._ranked = ranked
        self._instead: set[str] = set()  # ids of stories that took the place of a higher one, and have been shown
        self._context = context
        self._anchors = anchors
        self._capacity = context.digest.stories
        number_of_places = context.digest.stories + context.digest.briefs
        self._ahead = {each.story.id for each in ranked[: context.digest.stories]}
        self._behind = {each.story.id for each in ranked[number_of_places:]}
        self.selection = StorySelection()
        self.shown_by_family: dict[str, str] = {}  # the first story of each family that is shown in full
        self._countries_of: defaultdict[str, set[str]] = defaultdict(set)  # that those shown of a family are about
        self.pending: list[RankedStory] = []  # without a place; some become briefs
        self.bare: list[RankedStory] = []  # with nothing to show but a headline
        # By the story that tells their thread: those that were too many to be listed under it.
        self.spare: defaultdict[str, list[RankedStory]] = defaultdict(list)
        self.repeated: list[RankedStory] = []  # that say what is told; they take lines that no other story takes
        self._shown: dict[str, EditionStory] = {}  # in full, by id
        self._told_by_others: set[str] = set()  # ids of stories without a place that those shown may repeat
        self._of_topic: Counter[str] = Counter()  # stories shown in full
        self._most = {str(topic): most for topic, most in {**USUAL_MOST, **context.digest.most}.items()}
        self._of_rule: Counter[SectionRuleSettings] = Counter()  # stories that a rule with `most` puts into a section
        self._of_country: Counter[str] = Counter()
        self._is_country_open = False  # to any number of stories
        self._is_filling = False  # the places that are left, for which less counts
        self._too_many: list[RankedStory] = []  # on a topic that has enough
        self._of_full_country: list[RankedStory] = []  # about a country that has enough
        self._asking: list[RankedStory] = []  # of one outlet, that asks or explains, or come in late

    def offer(self, ranked: RankedStory) -> None:
        """Place a story: in full, under the story of its thread, in one line, or with those that wait."""
        if ranked.story.id in self._instead:
            return
        if ranked.family in self.shown_by_family and not self._is_event_of_its_own(ranked):
            if not (_is_asked_for(ranked) or _says_what_happened(ranked, self._context)):
                return  # what explains or asks adds little to its thread, which is told
            fits = self._fits_under_thread(ranked)
            if fits and self._list_under_thread(ranked):
                return
            # It may be on the event of a higher story. If only perhaps (`is_apart`), it may still have a line.
            if ranked.watched:
                self.pending.append(ranked)
            elif self._may_repeat(ranked) and not ranked.is_apart:
                self.repeated.append(ranked)
            elif (
                ranked.repeats
                or not fits
                or self._shown[self.shown_by_family[ranked.family]].outlets < MIN_BLOCK_OUTLETS
            ):
                self.pending.append(ranked)
            elif len(ranked.coverage.outlets) > 1:  # one too many of a thread
                self.spare[self.shown_by_family[ranked.family]].append(ranked)
        elif self._has_no_place(ranked) or len(self.bare) == MAX_BARE or self._is_worth_a_line(ranked):
            self.pending.append(ranked)
        elif self._only_asks(ranked):
            self._asking.append(ranked)
        elif (self._is_topic_full(ranked.story) or self._is_section_full(ranked.story)) and not (
            ranked.followed or ranked.must_phrases
        ):
            self._too_many.append(ranked)
        elif self._is_country_full(ranked.story) and not (ranked.followed or ranked.must_phrases):
            self._of_full_country.append(ranked)
        elif shown := compose_story(ranked, self._context, taken=self._anchors):
            better = None if shown.quoted else self._find_better_told(ranked)
            if better:
                self._instead.add(better[0].story.id)
                self._place(*better)
                self.bare.append(ranked)
            elif self._came_in_late(ranked):
                self._asking.append(ranked)
            else:
                self._place(ranked, shown)

    def _find_better_told(self, ranked: RankedStory) -> tuple[RankedStory, EditionStory] | None:
        """
        Return the best large story that is probably on the event of one without a sentence, and has one; if the reader
        has seen it, one that is new.
        """
        near = self._context.neighbours.get(ranked.story.id, NO_NEIGHBOURS).stories
        for other in () if ranked.followed else self._ranked:
            is_large = len(other.coverage.outlets) >= MIN_BLOCK_OUTLETS and other.story.id not in self._shown
            if is_large and near.get(other.story.id, 0.0) >= PROBABLE:
                shown = compose_story(other, self._context, taken=self._anchors)
                is_told = shown is not None and (shown.updates if shown.status != "new" else shown.quoted)
                if shown and is_told and self._context.can_read(shown.title_language):
                    return other, shown
        return None

    def list_bare(self, ranked: RankedStory) -> None:
        """List a story of `bare` under the story of its thread, else with those that wait for one line."""
        is_told = ranked.family in self.shown_by_family
        if not (is_told and self._fits_under_thread(ranked) and self._list_under_thread(ranked)):
            is_repeat = is_told and self._may_repeat(ranked) and not (ranked.is_apart or ranked.watched)
            (self.repeated if is_repeat else self.pending).append(ranked)

    def _fits_under_thread(self, ranked: RankedStory) -> bool:
        """
        Whether a story may be listed under those of its family that are shown, if the reader can read it.

        It is mainly about a country of theirs, or may be on one event: of the other pairs of stories that the model
        puts in one running story only half belong together (docs/decisions/0066).
        """
        head = self._head_of(ranked)
        if ranked.followed or _may_be_on_event(ranked, head):
            return True
        common = self._countries_of[ranked.family] & set(self._context.find_countries(ranked.story)[:1])
        return bool(common) and not _is_foreign(ranked, self._context)

    def _has_no_place(self, ranked: RankedStory) -> bool:
        is_full = len(self.selection.main) == self._capacity
        return not ranked.followed and (is_full or all(map(is_flagged, self._context.present(ranked.story))))

    def _is_worth_a_line(self, ranked: RankedStory) -> bool:
        """
        Whether a story is worth too little to be told in full only because those above it cannot be.

        So a quiet day has fewer stories in full.
        """
        if ranked.story.id not in self._behind or ranked.followed or ranked.must_phrases:
            return False
        best = max((each.score for each, _ in self.selection.main), default=0.0)
        return best > 0 and ranked.score < min(MIN_WORTH * best, MIN_MARK * POINTS)

    def _came_in_late(self, ranked: RankedStory) -> bool:
        """Whether all reports of a story were published before the window: what is told is of the period."""
        reports, start = self._context.present(ranked.story), self._context.window_start
        return not (self._is_filling or ranked.followed) and all(each.published_at < start for each in reports)

    def _only_asks(self, ranked: RankedStory) -> bool:
        """Whether one outlet alone asks or explains something, for which there is a place only if it is left."""
        is_single = len(ranked.coverage.outlets) == 1 and not (ranked.followed or ranked.must_phrases)
        return is_single and not self._is_filling and not _says_what_happened(ranked, self._context)

    def _head_of(self, ranked: RankedStory) -> str:
        """Return the id of the story that one is listed under: a part of its group that is told, else its family's."""
        parts = (key for key in self._shown if _are_of_one_group(ranked.story.id, key))
        return next(parts, self.shown_by_family[ranked.family])

    def _list_under_thread(self, ranked: RankedStory) -> bool:
        """
        List a story under the one of its family that is shown.

        False if that one has enough, if one outlet alone has this story and it ranks behind as many as are told in
        full, or if this one may be on the event of one that is listed, or on that of the head and says the same.
        """
        head, outlets = self._head_of(ranked), len(ranked.coverage.outlets)
        related = self.selection.related[head]
        is_apart = _are_of_one_group(ranked.story.id, head) and not _may_be_near_part(ranked, head, self._context)
        if _may_be_on_event(ranked, head) and not is_apart and self._says_the_same(ranked, self._shown[head]):
            return False
        is_part_listed = any(_may_be_near_part(ranked, each.story.id, self._context) for each in related)
        if is_part_listed and not _is_asked_for(ranked):
            return False
        is_ahead = ranked.story.id in self._ahead and not self._may_repeat(ranked)
        is_large = outlets > 1 or ranked.followed or is_ahead
        is_listed = is_large and _has_room(related, ranked, self._context.digest)
        if is_listed:
            related.append(ranked)
        return is_listed

    def _place(self, ranked: RankedStory, shown: EditionStory) -> None:
        """Put a story that is to be shown where it belongs: in full, in one line, or aside until places are left."""
        chosen, stories = self.selection, self._context.digest.stories
        # Nothing is new in it: one line, unless the reader wants its phrase in every edition.
        if shown.status == "quiet" and not ranked.must_phrases:
            if ranked.followed or len(chosen.quiet) < QUIET_FACTOR * stories:
                chosen.quiet.append((ranked, shown))
        elif not (ranked.followed or shown.translation or self._context.can_read(shown.title_language)):
            if len(chosen.foreign) < MAX_CHECKED:
                chosen.foreign.append((ranked, shown))
        elif not (shown.is_told or ranked.must_phrases or ranked.followed):
            self.bare.append(ranked)
        else:
            self._show(ranked, shown)

    def _show(self, ranked: RankedStory, shown: EditionStory) -> None:
        """Show a story in full. One that the reader follows brings its own place."""
        self._of_topic[shown.topic] += 1
        if rule := self._find_rule(ranked.story):
            self._of_rule[rule] += 1
        self._of_country.update(shown.place_codes)
        self._shown[ranked.story.id] = shown
        if ranked.repeats and not ranked.is_apart:
            self._told_by_others.add(ranked.repeats)
        self.shown_by_family.setdefault(ranked.family, ranked.story.id)
        self._countries_of[ranked.family].update(shown.place_codes)
        if ranked.followed:
            # Stories of its thread that are not followed have the family of the best sibling.
            self.shown_by_family.setdefault(ranked.sibling_of or ranked.story.id, ranked.story.id)
            self._capacity += 1
        self.selection.main.append((ranked, shown))

    def _is_event_of_its_own(self, ranked: RankedStory) -> bool:
        """Whether a story is large enough to be told in full beside others of its running story, and repeats none."""
        outlets, independent = len(ranked.coverage.outlets), len(ranked.coverage.independent)
        is_large = outlets >= MIN_BLOCK_OUTLETS and independent > 1 and ranked.expected_outlets >= MIN_SIBLING_OUTLETS
        tests = (self._is_topic_full, self._is_section_full, self._is_country_full)
        is_full = any(test(ranked.story) for test in tests)
        fits = not (self._has_no_place(ranked) or is_full)
        return is_large and fits and not (self._may_repeat(ranked) or ranked.followed or self._is_filling)

    def _may_repeat(self, ranked: RankedStory) -> bool:
        """Whether a story may be on the event of one that is told in full."""
        is_near = ranked.repeats in self._shown or ranked.story.id in self._told_by_others
        return is_near or any(_are_of_one_group(ranked.story.id, key) for key in self._shown)

    def _says_the_same(self, ranked: RankedStory, head: EditionStory) -> bool:
        """
        Whether a part or a near story is on the event of what is told, by its headline; so is one in another language.

        A near story with a number of its own and a later report is not: it may have the newer state.
        """
        title = find_headline(ranked.story, self._context)
        if title is None or title.article.language != head.title_language:
            return True
        numbers = numbers_in(title.text, title.article.language) - numbers_in(head.title, head.title_language)
        if numbers and not _are_of_one_group(ranked.story.id, head.id):
            return title.article.published_at < head.updated_at
        return is_one_aspect(title.stems, stems(head.title, head.title_language))

    def _is_topic_full(self, story: Story) -> bool:
        """Whether enough stories are shown on the topic of a story, or on light topics if it is light."""
        topic = self._context.find_topic(story)
        if topic in self._most and self._of_topic[topic] >= self._most[topic]:
            return True
        if self._is_filling:
            return False
        digest = self._context.digest
        light = sum(count for shown, count in self._of_topic.items() if is_light(shown, digest))
        return is_light(topic, digest) and light >= max(1, round(LIGHT_SHARE * digest.stories))

    def _is_section_full(self, story: Story) -> bool:
        """Whether the rule that puts a story into a section has put as many stories there as it may."""
        rule = self._find_rule(story)
        return bool(rule and rule.most is not None and self._of_rule[rule] >= rule.most)

    def _find_rule(self, story: Story) -> SectionRuleSettings | None:
        context = self._context
        if not context.digest.section_rules:
            return None
        present, topic = context.present(story), context.find_topic(story)
        return match_section_rule(context.digest.section_rules, present, context.find_countries(story), topic)

    def _is_country_full(self, story: Story) -> bool:
        """Whether enough stories are shown about a country that a story is about."""
        most = max(1, round(BLOCK_SHARE * self._context.digest.stories))
        full = {code for code, count in self._of_country.items() if count >= most}
        if self._is_country_open or not full:
            return False
        return not full.isdisjoint(self._context.find_countries(story))

    def offer_left_by_countries(self) -> None:
        """Offer the places that are left to the stories about a country that has enough; from then on, none is full."""
        waiting, self._of_full_country, self._is_country_open = self._of_full_country, [], True
        self.selection.enough_shown.update(ranked.story.id for ranked in waiting)
        for ranked in waiting:
            self.offer(ranked)

    def offer_left_places(self) -> None:
        """Offer the places that are left to the stories of which there are enough, if the reader has not said so."""
        waiting, self._too_many = self._too_many, []
        self._most = {str(topic): most for topic, most in self._context.digest.most.items()}
        self._is_filling = True
        self.selection.enough_shown.update(ranked.story.id for ranked in waiting)
        for ranked in (*waiting, *self._asking):
            self.offer(ranked)
        self.pending += self._too_many


def _is_asked_for(ranked: RankedStory) -> bool:
    """Whether the reader follows or watches a story."""
    return bool(ranked.followed or ranked.watched)


def _has_room(related: Sequence[RankedStory], ranked: RankedStory, digest: DigestSettings) -> bool:
    """Whether a list under a story, `related`, has room for one more: beyond `MAX_RELATED`, for a large one."""
    is_large = len(ranked.coverage.outlets) >= MIN_BLOCK_OUTLETS
    return len(related) < max(MAX_RELATED, round(BLOCK_SHARE * digest.stories) if is_large else 0)


def _may_be_on_event(ranked: RankedStory, head: str) -> bool:
    """Whether a story may be on the event of another one, by id: they, or it and a part of that one, are near."""
    return any(_are_of_one_group(key, head) for key in (ranked.story.id, ranked.repeats or ranked.story.id))


def _are_of_one_group(one: str, other: str) -> bool:
    """Whether two stories, by id, were parted from one group (`separate_parts`), so that they may be on one event."""
    return _group_of(one) == _group_of(other)


def _may_be_near_part(ranked: RankedStory, other: str, context: ComposeContext) -> bool:
    """
    Whether a story is a part of another one's group, by id, that is near it or small, and so perhaps on its event.

    A large part that is not near is not: a chain of reports joined what a president says of the dead and of talks.
    """
    is_large = len(ranked.coverage.outlets) >= MIN_BLOCK_OUTLETS
    is_near = other in context.neighbours.get(ranked.story.id, NO_NEIGHBOURS).stories
    return _are_of_one_group(ranked.story.id, other) and (is_near or not is_large)


def _group_of(story: str) -> str:
    return story.rpartition("-")[2]


def _attach_quiet_to_thread(chosen: StorySelection, shown_by_family: dict[str, str]) -> None:
    """Move quiet stories under the main story of their thread; keep one of each followed thread; drop the rest."""
    rest: list[tuple[RankedStory, EditionStory]] = []
    for each, shown in chosen.quiet:
        head = shown_by_family.get(each.family)
        if head is None:
            if not each.followed or all(other.family != each.family for other, _ in rest):
                rest.append((each, shown))
        elif len(chosen.related[head]) < MAX_RELATED:
            chosen.related[head].insert(0, each)
    chosen.quiet = rest


def _find_told_before(stories: Iterable[RankedStory], context: ComposeContext) -> set[str]:
    """Return the ids of the stories without a place of which the last edition told all that their headline says."""
    told = context.previous.told if context.previous else ()
    seen = {key for shown in told for key in (shown.id, *shown.article_ids)}
    found: set[str] = set()
    for story in (ranked.story for ranked in stories):
        if not seen.isdisjoint((story.id, *story.merged_ids, *story.articles)):
            title = find_headline(story, context)
            found |= {story.id} if title and repeats_last_edition(story, title.article, context) else set()
    return found


def _leave_out_told(
    chosen: StorySelection,
    pending: Sequence[RankedStory],
    spare: Mapping[str, Sequence[RankedStory]],
    context: ComposeContext,
) -> list[RankedStory]:
    """
    Return `pending` without the stories on an event that is told in full or was told before, and take these from the
    lists under stories.

    Grouping may keep two groups of reports of one event apart; then one was told in full, and the other a line under
    another story. A story whose group has a part in such a list is left out of `pending` too. One that the reader
    follows or watches stays. Those of `spare` take the places that become free.
    """
    told_ids = {ranked.story.id for ranked, _ in chosen.main}
    told = list(_find_told_texts(shown for _, shown in chosen.main))
    later_ids = {shown.latest.article_id for _, shown in chosen.main if shown.latest}

    def is_told(ranked: RankedStory) -> bool:
        if _is_asked_for(ranked):
            return False
        if ranked.story.id in chosen.told_before:
            return True
        is_later = not later_ids.isdisjoint(ranked.story.articles)
        titles = ((title_without_outlet(each), each.language) for each in context.present(ranked.story))
        if not is_later and not any(_is_told_by(told, *title) for title in titles):
            return False  # its headline is one of them
        title = find_headline(ranked.story, context)
        if is_later:
            return title is None or title.article.id in later_ids
        return title is not None and _is_told_by(told, title.text, title.article.language)

    def is_told_elsewhere(ranked: RankedStory, head: str = "", least: float = PROBABLE) -> bool:
        if _is_asked_for(ranked):
            return False
        near = context.neighbours.get(ranked.story.id, NO_NEIGHBOURS).stories
        others = told_ids - {head}
        return any(near.get(key, 0.0) >= least or _may_be_near_part(ranked, key, context) for key in others)

    for head, related in chosen.related.items():
        kept: list[RankedStory] = []
        for each in (*related, *spare.get(head, ())[:MAX_CHECKED]):
            if _has_room(kept, each, context.digest) and not (is_told_elsewhere(each, head) or is_told(each)):
                kept.append(each)
        chosen.related[head] = kept

    def is_foreign_repeat(ranked: RankedStory) -> bool:  # what cannot be read tells nobody what is new in it
        return is_told_elsewhere(ranked, least=MIN_MEAN) and _is_foreign(ranked, context)

    chosen.foreign = [pair for pair in chosen.foreign if not is_foreign_repeat(pair[0])]
    listed = {_group_of(each.story.id) for related in chosen.related.values() for each in related}

    def is_left_out(ranked: RankedStory) -> bool:
        is_repeat = _group_of(ranked.story.id) in listed or is_foreign_repeat(ranked)
        return is_repeat and not _is_asked_for(ranked)

    pending = [each for each in pending if not is_left_out(each)]
    return [each for number, each in enumerate(pending) if number >= MAX_CHECKED or not is_told(each)]


def _is_told_by(told: Iterable[tuple[str, str]], title: str, language: str) -> bool:
    """Whether a title is on what one of `told` tells (`_find_told_texts`), or on somebody of whose death it tells."""
    texts = [text for other, text in told if other == language]
    return any(tells_same_event(title, each, language) or is_obituary(title, language, each) for each in texts)


def _find_told_texts(main: Iterable[EditionStory]) -> Iterator[tuple[str, str]]:
    """Yield the language and words of what tells each story: headline and sentences, and the later headline."""
    for shown in main:
        yield shown.title_language, " ".join((shown.title, *(sentence.text for sentence in shown.quoted)))
        if shown.latest:
            yield shown.latest.language, shown.latest.title


def _without_told_later(shown: EditionStory, main: Iterable[tuple[RankedStory, EditionStory]]) -> EditionStory:
    """Return a story without its later headline if that is of a report of another one that is told in full."""
    told = (other.article_ids for _, other in main if other.id != shown.id)
    is_told = shown.latest is not None and any(shown.latest.article_id in articles for articles in told)
    return replace(shown, latest=None) if is_told else shown


def _list_under_nearest(chosen: StorySelection, context: ComposeContext) -> None:
    """
    List each story under another one of its running story if that is nearer, and it may not be on the event of its own.

    Nearest of those about a country of it is the one whose headline is most like its own, if they share as many rare
    words as those of a text and one that it continues; else the first with its main country, if fewer than half of the
    running story's name that: in a war most stories name both sides; else the one that most outlets report.
    """
    told: defaultdict[str, list[EditionStory]] = defaultdict(list)
    for ranked, shown in chosen.main:
        told[ranked.family].append(shown)
    for ranked, shown in chosen.main:
        heads = [shown, *(head for head in told[ranked.family] if head is not shown)]
        named = Counter(chain.from_iterable(head.place_codes for head in heads))
        stay: list[RankedStory] = []
        for each in chosen.related.pop(shown.id, ()):
            codes = context.find_countries(each.story)
            near = [head for head in heads if not set(codes).isdisjoint(head.place_codes)] or [shown]
            nearest = max(near, key=lambda head: _share_headline(each.story, head, context))
            if _share_headline(each.story, nearest, context) < FOLLOW_UP_TITLE_SHARE:
                is_telling = bool(codes) and 2 * named[codes[0]] < len(heads)
                here = (head for head in near if is_telling and head.place_codes[:1] == codes[:1])
                nearest = next(here, max(near, key=lambda head: head.outlets))
            if nearest is shown or each.followed or _may_be_on_event(each, shown.id):
                stay.append(each)
            else:
                chosen.related[nearest.id].append(each)
        chosen.related[shown.id] += stay


def _share_headline(story: Story, shown: EditionStory, context: ComposeContext) -> float:
    """Return the share of rare words, 0 to 1, that the headline of a story has in common with that of one in full."""
    title = find_headline(story, context)
    if title is None or title.article.language != shown.title_language:
        return 0.0
    language = title.article.language
    return shared_rarity(title.stems, set(stems(shown.title, language)), context.frequencies.get(language, {}))


def _leave_out_listed(chosen: StorySelection) -> None:
    """Take from the lists under stories those that may be on the event of a higher story that has a line of its own."""
    listed = {each.story.id for each in (*chosen.briefs, *chosen.foreign_lines)}
    for head, related in chosen.related.items():
        chosen.related[head] = [each for each in related if each.repeats not in listed]


def _fill_briefs(
    chosen: StorySelection, pending: Sequence[RankedStory], repeated: Sequence[RankedStory], context: ComposeContext
) -> None:
    """
    Choose the stories in one line: the watched ones, then others until there are as many as the digest's `briefs`, and
    one more for each place in full that no story has taken.

    First of these are the stories that most outlets have, whatever their language, so that what is widely reported is
    told somewhere. What only asks, explains or says who called whom comes after what tells. Foreign stories have a
    quarter of these places, quiet ones half of those that are left, and both have more if there are no others. Light
    stories take a quarter of all lines at most, and no place from news that ranks higher; they have more if places
    are left, and come last. Of an event there is one line, of a running story a quarter of all. Quiet stories that the
    reader follows take no place. Those that are `repeated` come last.
    """
    digest = context.digest
    foreign = [each for each, _ in chosen.foreign]
    widest = _find_widest((*(each for each, _ in chosen.main), *foreign, *pending), digest.stories)
    foreign += [each for each in pending[:MAX_CHECKED] if not each.watched and _is_foreign(each, context)]
    foreign.sort(key=lambda each: each.story.id not in widest or is_light(context.find_topic(each.story), digest))
    foreign_ids = {each.story.id for each in foreign}
    readable = [each for each in pending if each.story.id not in foreign_ids]
    light = [each for each in readable if is_light(context.find_topic(each.story), digest)]
    readable = _order_for_lines(readable, light, widest, context)
    watched = _first_of_families([each for each in pending if each.watched])[: digest.briefs + MAX_WATCHED]

    def choose(places: int) -> list[RankedStory]:
        most = max(1, math.ceil(FAMILY_SHARE * digest.briefs))
        return _first_of_families((*watched, *readable), most)[len(watched) :][: max(0, places)]

    taken = sum(not each.followed for each, _ in chosen.main)
    free = max(0, digest.stories - taken) if digest.briefs else 0
    places = max(0, digest.briefs + free - len(watched))
    others = choose(places)
    families = {each.family for each in (*watched, *others)}
    # What may be on the event of a higher story is no news to who cannot read it.
    foreign = _first_of_families(each for each in foreign if each.family not in families and not each.repeats)
    chosen.foreign_lines = foreign[: max(math.floor(FOREIGN_SHARE * places), places - len(others))]
    places -= len(chosen.foreign_lines)
    quiet = [pair for pair in chosen.quiet if not pair[0].followed][: max(places // 2, places - len(others))]
    chosen.quiet_lines = [pair for pair in chosen.quiet if pair[0].followed or pair in quiet]
    places -= len(quiet)
    others = choose(places)
    light_ids = {each.story.id for each in light}
    lines = sorted(others, key=lambda each: each.story.id in light_ids)
    chosen.briefs = [*watched, *lines, *repeated[: max(0, places - len(others))]]


def _order_for_lines(
    readable: Sequence[RankedStory], light: Sequence[RankedStory], widest: Set[str], context: ComposeContext
) -> list[RankedStory]:
    """Return the stories that may have a line: what most outlets have, the others, and those that give way to them."""
    waiting = {each.story.id for each in light[math.ceil(LIGHT_SHARE * context.digest.briefs) :]}
    waiting |= {each.story.id for each in readable[:MAX_CHECKED] if not _says_what_happened(each, context)}
    return sorted(readable, key=lambda each: (each.story.id not in widest, each.story.id in waiting))


def _find_widest(stories: Iterable[RankedStory], number: int) -> set[str]:
    """Return the ids of the `number` stories that most outlets probably report, of those that no outlet has alone."""
    several = [each for each in stories if len(each.coverage.outlets) > 1]
    several.sort(key=lambda each: (-each.expected_outlets, -each.score, each.story.id))
    return {each.story.id for each in several[:number]}


def _is_foreign(ranked: RankedStory, context: ComposeContext) -> bool:
    """Whether the headline of a story is in a language that the reader cannot read, and is not translated."""
    if is_headline_readable(ranked.story, context):
        return False
    title = find_headline(ranked.story, context)
    if title is None or context.can_read(title.article.language):
        return False
    return context.translate("headlines", title.text, title.article.language) is None


def _says_what_happened(ranked: RankedStory, context: ComposeContext) -> bool:
    """Whether the headline of a story tells, rather than asks or teases."""
    present = context.present(ranked.story)
    if all(is_informative(title_without_outlet(each), each.language) for each in present):
        return bool(present)  # whichever of the titles it is
    title = find_headline(ranked.story, context)
    return title is not None and is_informative(title.text, title.article.language)


def _first_of_families(ranked: Iterable[RankedStory], most: int = 1) -> list[RankedStory]:
    """
    Return the first `most` stories of each family: beyond the first one only what several outlets report, and what is
    not perhaps on the event of another one of them.
    """
    by_family: defaultdict[str, list[str]] = defaultdict(list)
    chosen: list[RankedStory] = []
    for each in ranked:
        above = by_family[each.family]
        is_another = len(each.coverage.outlets) > 1 and not {each.story.id, each.repeats} & {*above}
        if above and (len(above) >= most or not is_another):
            continue
        above.append(each.story.id)
        chosen.append(each)
    return chosen
