"""Alerts on stories: a message as soon as a story meets a rule of a digest, or an outlet corrects itself; each once."""

import socket
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digests.alerts.messages import SUBJECT_CHARS, WORDS_CHARS, AlertMessage, render_message
from digests.analysis.numbers import significant_numbers
from digests.analysis.preferences import PHRASE_LEAD_CHARS, matching_phrases, phrase_pattern
from digests.analysis.select import Cause
from digests.analysis.story_coverage import measure_coverage
from digests.analysis.titles import title_without_outlet
from digests.cluster.neighbours import find_nearest_reports
from digests.compose.context import ComposeContext, EditionInputs
from digests.compose.edition import is_wanted
from digests.compose.story import find_headline
from digests.edition.load import load_edition_inputs, load_excluded_articles
from digests.edition.schedule import EditionRequest, due_at
from digests.model.delivery import OutboundMessage
from digests.model.edition import Correction
from digests.model.story import Story
from digests.render.edition_view import CORRECTION_PHRASES, outlet_name
from digests.render.escape import sanitize_line, web_url
from digests.render.localizer import Localizer, make_localizer
from digests.settings.alerts import CORRECTIONS, FOLLOWED, StoryAlertSettings
from digests.settings.channel import DeliverSettings
from digests.settings.digests import DigestSettings
from digests.store import outbox
from digests.store.keys import DAILY, StoryAlertKey
from digests.store.outbox import KNOWN, OVER_LIMIT, UNSENT, WAITING, StoryAlertRow
from digests.stories.follows import FollowedThread, load_followed, load_followed_reports
from digests.stories.window import GroupedStories, cluster_and_save, cluster_preview
from digests.summarise.headline import Headline
from watcher.model import Article
from watcher.store.engine import connect
from watcher.store.writer import read, write
from watcher.text.page_kind import NO_REPORTS
from watcher.text.plain_text import to_one_line
from watcher.text.words import fold, stems

WINDOW = timedelta(hours=24)  # its articles are counted
NEWS_FOR = timedelta(hours=12)  # a story that met its rule before that is no news
THREAD_RESTS = timedelta(days=1)  # dates after an alert, on which no other story of its thread is told
# What a rule does not look at, in words.
LEFT_OUT, NO_WORD = "the digest leaves it out", "none of the words is in a title or at the beginning of a text"
MAX_NAMES_LISTED = 8  # of outlets or countries in a message
MIN_NEWS_WORDS = 2  # of a title, a first figure included, that the story has not told before
# The share of such words from which on a title has news of its own; the second one if it has the first figure. On three
# labelled days, one event in four has such a title among its reports, mostly its next development.
OWN_NEWS_SHARE, FIRST_FIGURE_SHARE = 2 / 3, 1 / 2
# The same for a story that the reader follows, with any new figure. On these days 27 % of 330 later reports have it.
FOLLOWED_SHARES = 1 / 2, 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A story or a correction that a rule looks at, or a `report` that may have news of its own."""

    about: str  # as in `StoryAlertKey`
    item: Story | Correction
    report: Article | None = None
    is_old: bool = False  # no news
    unmet: str = ""  # which condition of the rule it does not meet, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOutcome:
    """What a rule does about a candidate, in words; `adds` are the calls that store it with its messages."""

    rule: StoryAlertSettings
    candidate: Candidate
    words: str
    adds: tuple[Callable[[Connection], None], ...] = ()


def send_story_alerts(url: str, digests: Sequence[DigestSettings], now: datetime) -> None:
    """Group new articles, and put messages on what meets rules of `digests` into the outbox."""
    engine = connect(url)
    try:
        grouped = cluster_and_save(engine, start=now - WINDOW, end=now, now=now)
        write(engine, outbox.carry_alerts, now=now)
        plans = [read(engine, _plan_alerts, digest, grouped, now=now)[1] for digest in digests]
        adds = [add for decisions in plans for decision in decisions for add in decision.adds]
        # What was told of a story stays told when it is joined or split: `carry_alerts` sees to that for the messages
        # before, `save_alerts` for these, as another process may have joined or split stories meanwhile.
        write(engine, outbox.save_alerts, adds, now=now)
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApart:
    """The story outside a followed thread that may most probably be on its event, with a report that came since."""

    story: Story
    near_to: str  # id of the story of the thread
    probability: float  # of the two nearest reports


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReview:
    """What the rules of a digest look at now, and what they do about it."""

    inputs: EditionInputs
    decisions: tuple[AlertOutcome, ...]
    excluded: Mapping[str, tuple[Article, Cause]]  # by id: articles that take no part in the digest
    kept_apart: Mapping[str, KeptApart]  # by followed thread


def review_alerts(engine: Engine, digest: DigestSettings, *, now: datetime) -> AlertReview:
    """Return what the rules of a digest look at now, and why they send a message or not; nothing is saved or sent."""
    grouped = cluster_preview(engine, start=now - WINDOW, end=now)
    inputs, decisions = read(engine, _plan_alerts, digest, grouped, now=now)
    excluded = read(engine, load_excluded_articles, digest, _request(digest, now), grouped)
    in_window = {each.id: (each, cause) for each, cause in excluded if each.published_at >= now - WINDOW}
    kept_apart = read(engine, _find_kept_apart, inputs, grouped)
    return AlertReview(inputs=inputs, decisions=decisions, excluded=in_window, kept_apart=kept_apart)


def _find_kept_apart(connection: Connection, inputs: EditionInputs, grouped: GroupedStories) -> Mapping[str, KeptApart]:
    """Return the story that grouping keeps apart from each followed thread and that is nearest to it, by thread."""
    context = inputs.context
    home = {article: story for story in inputs.stories for article in story.articles}
    found = {}
    for thread, since in {row.thread: since for _, since, row in reversed(load_followed(connection))}.items():
        ours = {key for story in grouped.stories if story.thread == thread for key in story.articles}
        theirs = {
            key
            for key, article in context.articles.items()
            if article.published_at >= context.window_start and article.fetched_at > since and key in home
        }
        if pair := find_nearest_reports(grouped.scores, ours, theirs - ours):
            our, their, probability = pair
            found[thread] = KeptApart(story=home[their], near_to=story_key(home[our]), probability=probability)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryAlert:
    """An alert on a story or a correction that met a rule of a digest."""

    about: str  # as in `StoryAlertKey`
    digest: str
    at: datetime
    title: str
    lines: tuple[str, ...]  # of the text; one of them is `url`
    url: str

    @property
    def message(self) -> AlertMessage:
        """Return what the channels send: the headline as the subject, the lines on the story as the text."""
        return AlertMessage(
            kind="story",
            name=f"{self.about} {self.digest}",
            machine=socket.gethostname(),
            since=self.at,
            at=self.at,
            subject=to_one_line(self.title, SUBJECT_CHARS),
            text="".join(f"{line}\n" for line in self.lines),
            title=self.title,
            url=self.url,
        )


def _request(digest: DigestSettings, now: datetime) -> EditionRequest:
    """Return the request of an edition whose articles the alerts look at."""
    today = now.astimezone(ZoneInfo(digest.timezone)).date()
    return EditionRequest(
        local_date=today, window_start=now - WINDOW, window_end=now, slot=DAILY, number=1, is_exact=True
    )


def _plan_alerts(
    connection: Connection, digest: DigestSettings, grouped: GroupedStories, *, now: datetime
) -> tuple[EditionInputs, tuple[AlertOutcome, ...]]:
    """Return what the rules of a digest look at, and what each of them does about it."""
    zone, decisions = ZoneInfo(digest.timezone), list[AlertOutcome]()
    alerts = [alert for alert in outbox.load_story_alerts(connection) if alert.digest == digest.name]
    request = _request(digest, now)
    today = request.local_date
    counts_no_opinion = digest.model_copy(update={"opinion": "leave-out"})
    inputs = load_edition_inputs(connection, counts_no_opinion, request, grouped, now=now)
    threads, words = {story.id: story.thread for story in grouped.stories}, make_localizer(digest.language, zone, today)
    has = {(alert.about, alert.channel, alert.recipient) for alert in alerts}
    stored: defaultdict[str, list[StoryAlertRow]] = defaultdict(list)
    for row in alerts:
        stored[row.about].append(row)
    outcomes = {about: _describe_all(of_one) for about, of_one in stored.items()}
    late = (alert for alert in alerts if alert.state not in UNSENT and today - alert.local_date <= THREAD_RESTS)
    resting = {(threads.get(alert.about), alert.recipient) for alert in late}
    follows_any = any(rule.when == FOLLOWED for rule in digest.alerts)
    followed = load_followed_reports(connection, set(threads.values())) if follows_any else {}
    told_now = set[str]()
    for rule in digest.alerts:
        mark = sha256(rule.label.encode()).hexdigest()[:8]
        mine = [alert for alert in alerts if alert.rule == mark]
        count = len({alert.key for alert in mine if alert.state not in UNSENT and alert.local_date == today})
        ways = [way for way in digest.deliver if _sends(way, rule)]
        ends = [(way, recipient) for way in ways for recipient in way.recipients(digest.mail.to)]
        for candidate in find_candidates(rule, inputs, now, followed):
            about, report = candidate.about, candidate.report
            lack = [(way, recipient) for way, recipient in ends if (about, way.channel, recipient) not in has]
            if candidate.unmet or not lack:
                outcome = outcomes.get(about, f"not sent: {candidate.unmet}")
                decisions.append(AlertOutcome(rule=rule, candidate=candidate, words=outcome))
                continue
            story = about if report is None else story_key(candidate.item)
            theirs = {(threads[story], recipient) for _, recipient in lack if story in threads}
            state, why = WAITING, ""
            if candidate.is_old:
                state, why = KNOWN, "it was older than 12 hours when Watcher looked"
            # What a story had when it was told is known with it; its later news do not wait for its thread to rest.
            elif report is not None and story in told_now:
                state, why = KNOWN, "it was there when the message on its story was made"
            elif report is None and theirs & resting:
                state, why = KNOWN, "a message on its thread was sent that day or the day before"
            elif count >= rule.most:
                state, why = OVER_LIMIT, f"the rule sends at most {rule.most} a day (`most`)"
            messages = [OutboundMessage(channel=way.channel, recipient=recipient, forms=()) for way, recipient in lack]
            if state == WAITING:
                dropped = 0 if count else _count_dropped(mine)
                alert = _make_alert(candidate, rule, inputs.context, words, dropped=dropped, now=now)
                sender = digest.mail.sender or "digest@localhost"
                readers = digest.mail.to
                messages = [render_message(alert.message, way, sender, to, readers=readers) for way, to in lack]
                count, resting = count + 1, resting | theirs
            told_now.add(about)
            has |= {(about, way.channel, recipient) for way, recipient in lack}
            key = StoryAlertKey(digest=digest.name, local_date=today, about=about, rule=mark)
            due = _quiet_end(rule.quiet, now, zone) or now
            when = "when the quiet hours end" if due > now else "when it looks next"
            outcomes[about] = f"not sent: {why}" if why else f"the daemon sends it {when}"
            adds = [partial(outbox.enqueue, key=key, parcels=messages, now=due, state=state, response=why)]
            # The reports of a story that is told are told with it, also if the story is joined to another one later.
            is_told = state == WAITING and report is None
            for known in _named_reports(rule.words, candidate.item, inputs.context) if is_told and rule.words else ():
                silent = [replace(message, forms=()) for message in messages]
                of_report = replace(key, about=f"report-{known}")
                adds.append(partial(outbox.enqueue, key=of_report, parcels=silent, now=due, state=KNOWN))
            decisions.append(AlertOutcome(rule=rule, candidate=candidate, words=outcomes[about], adds=tuple(adds)))
    return inputs, tuple(decisions)


def _describe_all(alerts: Iterable[StoryAlertRow]) -> str:
    """Return in words what became of an alert, by each channel if that differs."""
    channels: dict[str, dict[str, None]] = {}  # by what became of it, in the order of the outbox
    for alert in alerts:
        channels.setdefault(_describe_stored(alert), {})[alert.channel] = None
    if len(channels) == 1:
        return next(iter(channels))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in channels.items())


def _describe_stored(alert: StoryAlertRow) -> str:
    """Return in words what became of an alert that is in the outbox."""
    match alert.state:
        case outbox.SENT if alert.settled_at:
            return f"sent at {alert.settled_at:%Y-%m-%d %H:%M} UTC"
        case outbox.FAILED:
            return f"could not be delivered: {alert.response}"
        case outbox.KNOWN | outbox.OVER_LIMIT:
            return f"not sent: {alert.response or 'it was told with its story'}"
        case _:
            return f"waits for its delivery at {alert.next_try_at:%Y-%m-%d %H:%M} UTC"


def _sends(way: DeliverSettings, rule: StoryAlertSettings) -> bool:
    return way.alerts and (way.channel in rule.channels if rule.channels else way.sends_story_alerts)


def find_candidates(
    rule: StoryAlertSettings, inputs: EditionInputs, now: datetime, followed: Mapping[str, FollowedThread]
) -> Iterator[Candidate]:
    """Yield what meets a rule, the largest stories first, each before its reports that have news of their own."""
    if rule.when == CORRECTIONS:
        pattern = phrase_pattern(rule.words)
        for correction in inputs.corrections:
            if pattern is None or pattern.search(fold(f"{correction.title}\n{correction.before}\n{correction.after}")):
                yield Candidate(about=f"{correction.kind}-{correction.article_id}", item=correction)
        return
    context = inputs.context
    before = {key: article for key, article in context.articles.items() if article.published_at < now - NEWS_FOR}
    for story in sorted(inputs.stories, key=lambda each: (-len(each.articles), each.id)):
        if rule.when == FOLLOWED:
            reports = _followed_news(rule.words, story, context, followed)
        else:
            unmet = _why_unmet(rule, story, context.articles)
            if not unmet and not is_wanted(story, context):
                unmet = "it is about none of the digest's `regions`, `topics` or `only`"
            is_old = not (unmet or _why_unmet(rule, story, before))
            yield Candidate(about=story_key(story), item=story, is_old=is_old, unmet=unmet)
            reports = iter(()) if unmet else _reports_with_news(rule.words, story, context)
        for report, unmet in reports:
            about, is_old = f"report-{report.id}", report.id in before
            yield Candidate(about=about, item=story, report=report, is_old=is_old, unmet=unmet)


def story_key(item: Story | Correction) -> str:
    """Return the id of a story: that of a part has a number before it."""
    return item.id.rpartition("-")[2] if isinstance(item, Story) else ""


def _reports_with_news(words: tuple[str, ...], story: Story, context: ComposeContext) -> Iterator[tuple[Article, str]]:
    """Yield reports of a story with one of `words` in the title, each with "" or why it has no news of its own."""
    if not words or not (named := _named_reports(words, story, context)):
        return
    known = {**context.earlier_articles, **context.articles}
    stored = sorted((known[key] for key in story.articles if key in known), key=lambda a: (a.fetched_at, a.id))
    for number, article in enumerate(stored):
        if number and article.id in named:
            yield article, _why_no_news(article, stored[:number])


def _followed_news(
    words: tuple[str, ...], story: Story, context: ComposeContext, followed: Mapping[str, FollowedThread]
) -> Iterator[tuple[Article, str]]:
    """Yield reports of a followed story that came since, each with "" or why it is no news of the thread."""
    if (thread := followed.get(story.thread)) is None:
        return
    stored = sorted(thread.reports, key=lambda report: (report.fetched_at, report.id))
    # Reports are compared within a language only: without this choice, each language would tell the same news.
    has_own_language = any(report.language == context.digest.language for report in stored)
    comparable = [each for each in stored if not has_own_language or each.language == context.digest.language]
    places = {report.id: place for place, report in enumerate(comparable)}
    named = _named_reports(words, story, context)
    for report in stored:
        if report.id not in story.articles or report.fetched_at <= thread.since:
            continue
        place = places.get(report.id)
        if report.id not in named or place is None:
            yield report, _why_not_named(report, story, context, is_comparable=place is not None)
        else:
            yield report, _why_no_news(report, comparable[:place], is_followed=True) if place else ""


def _why_not_named(report: Article, story: Story, context: ComposeContext, *, is_comparable: bool) -> str:
    """Return why a report of a followed story is not looked at for news."""
    if report.id not in context.articles:
        return LEFT_OUT
    if report.kind in NO_REPORTS:
        return "it is no report of news, but an opinion piece, a live blog or the like"
    if not any(group.origin == report.id for group in story.wire_groups):
        return "it is a copy of another report"
    return "none of the rule's words is in its title" if is_comparable else "it is not in the language of the digest"


def _named_reports(words: tuple[str, ...], story: Story | Correction, context: ComposeContext) -> set[str]:
    """Return the ids of a story's reports, copies left out, with one of `words` in the title if there are words."""
    if not isinstance(story, Story):
        return set()
    pattern = phrase_pattern(words)
    origins = (context.articles[group.origin] for group in story.wire_groups if group.origin in context.articles)
    reports = (article for article in origins if article.kind not in NO_REPORTS)
    return {article.id for article in reports if pattern is None or pattern.search(fold(article.title))}


def _report_with_word(words: tuple[str, ...], story: Story, context: ComposeContext) -> Article | None:
    """Return the report that a message by one of `words` names: with a word in its title, else in its beginning."""
    reports = [article for key in story.articles if (article := context.articles.get(key)) and article.title]
    if not (reports := [report for report in reports if matching_phrases(words, [report])]):
        return None
    in_title, headline = _named_reports(words, story, context), find_headline(story, context)

    def rank(report: Article) -> tuple[bool, bool, bool, datetime]:
        is_headline = headline is not None and report.id == headline.article.id
        return report.id in in_title, context.can_read(report.language), is_headline, report.published_at

    return max(reports, key=rank)


def _why_no_news(article: Article, earlier: Sequence[Article], *, is_followed: bool = False) -> str:
    """
    Return "" if enough of a title is in none of the `earlier` reports of its language, else how much of it is.

    `is_followed`: Less is enough, and a new figure counts as much as the first one, such as a toll that rises.
    """
    language = article.language
    same_language = [report for report in earlier if report.language == language]
    if not same_language:
        return "its story has no earlier report in its language to compare it with"
    title_stems = set(stems(article.title, language))
    new = title_stems - {
        stem for each in same_language for stem in stems(f"{each.title}\n{each.text[:PHRASE_LEAD_CHARS]}", language)
    }
    # A later figure, such as another toll, is rather another state of the same news, unless a reader follows it.
    figures = significant_numbers(article.title)
    known_figures = {number for report in same_language for number in significant_numbers(report.title)}
    has_first_figure = bool(figures - known_figures if is_followed else figures and not known_figures)
    words_share, figure_share = FOLLOWED_SHARES if is_followed else (OWN_NEWS_SHARE, FIRST_FIGURE_SHARE)
    count, share = len(new) + has_first_figure, figure_share if has_first_figure else words_share
    total = len(title_stems) + has_first_figure
    least = max(MIN_NEWS_WORDS, ceil(share * total))
    return "" if count >= least else f"{count} of the {total} words of its title are new, {least} are needed"


def _why_unmet(rule: StoryAlertSettings, story: Story, articles: Mapping[str, Article]) -> str:
    """Return "" if a story meets a rule by those of its reports that are in `articles`, else what it lacks."""
    present = [articles[key] for key in story.articles if key in articles]
    if not present or (rule.words and not matching_phrases(rule.words, present)):
        return NO_WORD
    what, _, least = rule.when.partition(" >= ")
    covered = measure_coverage(story, articles)
    count = len(covered.countries if what == "countries" else covered.independent)
    name = "countries" if what == "countries" else "independent outlets"
    return "" if count >= int(least or 1) else f"{name} that report it: {count}, needed: {least or 1}"


def _count_dropped(mine: Sequence[StoryAlertRow]) -> int:
    """Return how many stories were over the limit since the rule with the alerts `mine` told the last one."""
    last = max((alert.local_date for alert in mine if alert.state not in UNSENT), default=date.max)
    return len({alert.key for alert in mine if alert.state == OVER_LIMIT and alert.local_date >= last})


def _make_alert(
    candidate: Candidate, rule: StoryAlertSettings, context: ComposeContext, words: Localizer, *,
    dropped: int, now: datetime,
) -> StoryAlert:  # fmt: skip
    """Return the alert on a story or correction: headline, outlet, time and link of a report, and why it is sent."""
    item, report = candidate.item, candidate.report
    if isinstance(item, Correction):
        title, outlet, url, at = item.title, item.outlet, item.url, item.noticed_at
        change = words.label(words[CORRECTION_PHRASES.get(item.kind, "text_changed")])
        why = [change, *(words.say("quoted", text=text) for text in (item.before, item.after) if text)]
    else:
        named = report or _report_with_word(rule.words, item, context)
        headline = Headline(title_without_outlet(named), named) if named else find_headline(item, context)
        assert headline is not None, "an article without a title is not selected"
        article, covered = headline.article, measure_coverage(item, context.articles)
        title, outlet, url, at = headline.text, article.outlet, article.url, article.published_at
        counts = words.join(
            words.outlet_counts(
                outlets=len(covered.outlets),
                independent=len(covered.independent),
                headline_only=len(covered.headline_only),
            )
        )
        why = [f"{words.label(counts)} {words.list_names(covered.independent or covered.outlets, MAX_NAMES_LISTED)}"]
        if rule.when.startswith("countries"):
            why.append(words.list_names(map(words.country, covered.countries), MAX_NAMES_LISTED))
    link = web_url(url) or ""
    lines = [words.join((outlet_name(outlet, url), words.clock(at))), link, *why, f"[{rule.label}]"]
    lines += [words.say("over_limit", n=dropped)] if dropped else []
    return StoryAlert(
        about=candidate.about,
        digest=context.digest.name,
        at=now,
        title=sanitize_line(title),
        lines=tuple(sanitize_line(line, limit=WORDS_CHARS) if line != link else link for line in lines if line),
        url=link,
    )


def _quiet_end(quiet: tuple[time, time] | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the quiet hours end that `now` is in; None if it is in none."""
    today, day = now.astimezone(zone).date(), timedelta(days=1)
    for begin, end in (quiet,) if quiet else ():
        for on in (today - day, today):
            until = due_at(on + day if end <= begin else on, end, zone)
            if due_at(on, begin, zone) <= now < until:
                return until
    return None
