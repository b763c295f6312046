"""A store with two editions that show nearly everything an edition can, and the ways to change an edition."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from digests.edition.build import BuiltEdition, build_edition
from digests.edition.schedule import EditionRequest
from digests.model.edition import Edition
from digests.model.edition_story import EditionStory, LlmSentence, MissingPerspective, Sentence
from digests.model.ledger import LeftOut, LeftOutKind
from digests.render.edition_view import edition_view
from digests.render.text import measure_reading_time
from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.store.keys import DAILY
from tests.web.press import put
from watcher.model import Revision
from watcher.settings.models import Settings
from watcher.store.feeds import sync_sources
from watcher.store.pages import record_recheck
from watcher.store.writer import write

END = datetime(2026, 11, 25, 7, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SETTINGS = """[store]
url = "sqlite:///watcher.db"
[semantic]
embedder = "none"
[translate]
engine = "firefox"
models = "{models}"
[[digests]]
name = "world"
directory = "out"
formats = ["markdown", "html", "text", "eml", "json", "epub"]
languages = ["en", "pt"]
reads = ["en"]
stories = 3
[digests.prose]
url = "{url}"
model = "tiny"
[[sources]]
url = "https://post.example/feed"
name = "Post"
owner = "Orlen Media"
"""
YESTERDAY = (
    "Flood strikes the valley of Orlen in Kenya. A flood struck the valley of Orlen in Kenya on Monday and 300 people "
    "left home, the mayor Ana Tarn said. The river rose by four metres within a day, more than at any time in the last "
    "ninety years."
)
POST = (
    "Flood in Kenya drives 900 people from the valley of Orlen. The flood in the valley of Orlen has driven 900 people "
    "from home, the mayor Ana Tarn said in Kenya on Tuesday. Helicopters brought blankets and water to the school of "
    "Dressel during the night. The government has asked engineers to inspect both dams above the valley."
)
HERALD = (
    "Kenya sends soldiers to the flooded valley of Orlen. Soldiers in boats brought bread to the flooded valley of "
    "Orlen in Kenya on Tuesday, and 900 people had to leave home. Trains between Orlen and Dressel stand still until "
    "Thursday, the railway company said in the evening."
)
AGENCY = (
    "Kenya flood: 900 people leave the valley of Orlen. Rescue teams reached the last villages in the flooded valley "
    "of Orlen in Kenya on Tuesday after 900 people left home. A spokesman of the Red Cross said that clean water was "
    "the first need of the families in the tents. Two bridges were carried away by the river Tarn, and the road to the "
    "coast is closed for lorries until the end of the week. Farmers lost their cattle on both banks of the river."
)
RAIN = (
    "Chuva deixa 14 mortos em Lisboa. A chuva forte deixou 14 mortos em Lisboa na segunda-feira, informou o governo de "
    "Portugal. Cerca de 300 pessoas tiveram de sair das suas casas durante a noite, segundo as autoridades locais."
)
FERRY = (
    "Ferry runs aground off Marlow with 212 passengers. The ferry Anna Lund ran aground off Marlow with 212 passengers "
    "on Tuesday, captain Joris Blake said. Nobody was hurt, and a second ship took the passengers to the port by noon."
)
CHESS = (
    "Brindle wins the Varga cup in the last round. The chess club of Brindle won the Varga cup on Tuesday, captain "
    "Petra Moll said. The club had lost the cup to its neighbours from Lunden in each of the last four years. "
    "Players of Brindle will meet the Varga cup holders of Marlow on 3 December, captain Petra Moll said."
)
ELECTION = (
    "Harbour town elects the fisherman Ole Strand. Voters in the harbour town of Sund elected the fisherman Ole Strand "
    "as their mayor on Tuesday. He promised to rebuild the old pier before the end of the next summer."
)
WRITTEN = "The flood in the valley of Orlen in Kenya has driven 900 people from home [5]."


def make_editions(settings: Settings, engine: Engine) -> tuple[BuiltEdition, BuiltEdition]:
    """Put the articles of two days into a store, and make the editions of both days, with their files."""
    write(engine, sync_sources, settings.active_sources(), now=END - 3 * DAY)

    def add(key: str, outlet: str, text: str, hours: float, **more: Any) -> None:
        given = {"language": "en", "country": "GB"} | more
        put(engine, f"{key:0>16}", outlet=outlet, text=text, at=END - hours * HOUR, **given)

    add("1", "Post", YESTERDAY, 30, url="https://post.example/1")
    add("2", "Herald", ELECTION, 29)
    first = build(settings, engine, END - DAY)
    change = Revision(
        article_id=f"{2:0>16}", at=END - 10 * HOUR, kind="changed", title="Harbour town elects the smith Per Lund",
        text=ELECTION.partition(". ")[2],
    )  # fmt: skip
    write(engine, record_recheck, change.article_id, now=change.at, revision=change)
    add("3", "Post", POST, 5, url="https://post.example/3")
    add("4", "Herald", HERALD, 6)
    for n, (outlet, country) in enumerate((("Star", "US"), ("Courier", "KE"), ("Argus", "ZA"))):
        add(f"5{n}", outlet, AGENCY, 4 - n / 10, country=country, agency="AFP")
    add("6", "Jornal", RAIN, 7, language="pt", country="PT")
    add("7", "Diario", RAIN.replace("A chuva forte", "Uma chuva"), 6.5, language="pt", country="BR")
    add("6c", "Gazeta", RAIN.replace("14 mortos", "11 mortos"), 7.5, language="pt", country="PT")
    add("8", "Star", FERRY, 8)
    add("9", "Argus", FERRY.replace("Ferry runs", "A ferry runs").replace("captain", "its captain"), 8.5)
    add("a", "Post", CHESS, 9)
    return first, build(settings, engine, END)


def add_later_reports(settings: Settings, engine: Engine) -> BuiltEdition:
    """Poll more of the same stories, some of them from the time of the last edition, and make the next edition."""
    for n, (outlet, hours) in enumerate((("Gazette", 4.5), ("Bugle", 2.0), ("Mirror", -4.0))):
        given = {"language": "en", "country": "GB", "agency": "AFP", "fetched_at": END + HOUR}
        put(engine, f"{n:b>16}", outlet=outlet, text=AGENCY, at=END - hours * HOUR, **given)
    text = FERRY.replace("Nobody was hurt", "Divers looked for a leak")
    put(engine, f"{9:c>16}", outlet="Herald", language="en", country="GB", text=text, at=END + 3 * HOUR)
    return build(settings, engine, END + DAY)


def build(settings: Settings, engine: Engine, end: datetime) -> BuiltEdition:
    (digest,) = digests_of(settings)
    request = EditionRequest(
        local_date=end.date(),
        window_start=end - DAY,
        window_end=end,
        slot=DAILY,
        folder=digest.directory,
        translate=settings.section(TranslateSettings),
    )
    built = build_edition(engine, digest, request, now=end)
    assert built is not None
    return built


def read_again(edition: Edition) -> Edition:
    """Return an edition with the time that it takes to read: a further line may take it over a full minute."""
    return replace(edition, reading_minutes=measure_reading_time(edition_view(edition)))


def with_story(edition: Edition, number: int, **values: Any) -> Edition:
    """Return an edition with other values of one story."""

    def change(story: EditionStory) -> EditionStory:
        return replace(story, **values) if story.number == number else story

    sections = tuple(replace(each, stories=tuple(map(change, each.stories))) for each in edition.sections)
    return replace(edition, sections=sections)


def with_term(story: EditionStory, name: str, count: int, words: str) -> dict[str, Any]:
    """Return the score of a story with another count in one of its terms."""
    terms = tuple(
        replace(term, value=round(math.log2(count), 6), words=words) if term.name == name else term
        for term in story.score_terms
    )
    return {"score_terms": terms, "score": round(sum(term.value * term.weight for term in terms), 6)}


def lead(edition: Edition) -> EditionStory:
    return edition.stories[0]


def with_sentence(edition: Edition, number: int, sentence: Sentence) -> Edition:
    """Return an edition with another first sentence in the summary of a story."""
    summary = next(story.summary for story in edition.stories if story.number == number)
    return with_story(edition, number, summary=(sentence, *summary[1:]))


def count_more(edition: Edition) -> Edition:
    more = with_term(lead(edition), "independent", 5, "5 independent reports")
    return with_story(edition, 1, independent=5, folded=0, agencies=(), **more)


def leave_out_outlet(edition: Edition) -> Edition:
    """Remove the outlet named last from all that names or counts it."""
    story, gone = lead(edition), lead(edition).mentions[-1]
    more = with_term(story, "carried", 4, "carried by 4 outlets")
    return with_story(
        edition, 1, mentions=story.mentions[:-1], outlets=4, folded=1, agencies=(("AFP", 1),),
        countries=("GB", "US", "ZA"),
        new_outlets=tuple(name for name in story.new_outlets if name != gone.outlet), **more,
    )  # fmt: skip


def leave_out_story(edition: Edition) -> Edition:
    sections = tuple(
        replace(each, stories=tuple(story for story in each.stories if story.number != 3)) for each in edition.sections
    )
    sections = tuple(each for each in sections if each.stories)
    counts = {"stories_shown": 2, "left_out": (LeftOut(kind=LeftOutKind.LOWER_RANK, count=1),)}
    return replace(edition, sections=sections, ledger=replace(edition.ledger, **counts))


def invent_report(edition: Edition) -> Edition:
    """Name an outlet that reports nothing, with a link, and count it."""
    story = lead(edition)
    invented = replace(story.mentions[1], outlet="Gazette", url="https://gazette.example/1")
    more = with_term(story, "carried", 6, "carried by 6 outlets")
    return with_story(edition, 1, mentions=(*story.mentions, invented), outlets=6, folded=3, **more)


def first_sentence(edition: Edition, number: int = 3) -> Sentence:
    return next(story for story in edition.stories if story.number == number).summary[0]


def translate_otherwise(edition: Edition) -> Edition:
    sentence = first_sentence(edition, 2)
    text = sentence.translation.text.replace("left 14 dead", "left no dead, not 14,")
    return with_sentence(edition, 2, replace(sentence, translation=replace(sentence.translation, text=text)))


def say_invented_figure(edition: Edition) -> Edition:
    (change,) = lead(edition).number_changes
    return with_story(edition, 1, number_changes=(replace(change, before="3", what="people dead"),))


def change_figure(edition: Edition, side: str, **values: Any) -> Edition:
    (change,) = edition.stories[1].figure_changes
    report = replace(getattr(change, side), **values)
    return with_story(edition, 2, figure_changes=(replace(change, **{side: report}),))


def say_other_agency(edition: Edition) -> Edition:
    mentions = tuple(replace(each, agency="Reuters" if each.agency else None) for each in lead(edition).mentions)
    return with_story(edition, 1, agencies=(("Reuters", 2),), mentions=mentions)


def call_copies(edition: Edition) -> Edition:
    first, *others = lead(edition).mentions
    return with_story(edition, 1, mentions=(first, *(replace(each, copy_of=first.article_id) for each in others)))


def write_otherwise(edition: Edition) -> Edition:
    written = lead(edition).llm_sentences[0]
    invented = LlmSentence(text="The mayor Ana Tarn stole 900 blankets in Kenya.", sources=written.sources)
    return with_story(edition, 1, llm_sentences=(written, invented))


def swap_stories(edition: Edition) -> Edition:
    numbers = {1: 2, 2: 1, 3: 3}
    sections = tuple(
        replace(each, stories=tuple(replace(story, number=numbers[story.number]) for story in each.stories))
        for each in edition.sections
    )
    return replace(edition, sections=(sections[1], sections[0], *sections[2:]))


def make_up_ledger(edition: Edition) -> Edition:
    ledger = edition.ledger
    return replace(
        edition,
        ledger=replace(
            ledger, entries_seen=900, sources_total=90, sources_ok=90, sources_unread=0, articles=800, outlets=80,
            languages=8, countries=40, stories_found=404, left_out=(LeftOut(kind=LeftOutKind.LOWER_RANK, count=400),),
            largest=replace(ledger.largest, articles=100, reports=90, of_reports=300, share=0.3),
        ),
    )  # fmt: skip


def with_line(edition: Edition, **values: Any) -> Edition:
    (line,) = edition.at_a_glance
    return replace(edition, at_a_glance=(replace(line, **values),))


def with_event(edition: Edition, **values: Any) -> Edition:
    (event,) = edition.coming_up
    return replace(edition, coming_up=(replace(event, **values),))


Tampering = Callable[[Edition], Edition]
# Each with whether the articles alone show it; if not, only a comparison with what was made does.
TAMPERINGS: dict[str, tuple[Tampering, bool]] = {
    "more independent reports": (count_more, True),
    "an outlet left out": (leave_out_outlet, True),
    "an invented outlet": (invent_report, True),
    "a story left out": (leave_out_story, False),
    "stories in another order": (swap_stories, False),
    "a first line of another figure": (
        lambda e: with_line(e, text=e.at_a_glance[0].text.replace("900", "800")),
        True,
    ),
    "a first line without its end": (lambda e: with_line(e, text=e.at_a_glance[0].text[:-20]), True),
    "a first line of another story": (lambda e: with_line(e, story=e.stories[2].id), True),
    "a first line of another outlet": (lambda e: with_line(e, outlet="Gazette"), True),
    "a first line that nobody disputes": (lambda e: with_line(e, kind="disputed", number_change=None), True),
    "an event on another day": (lambda e: with_event(e, on=date(2026, 12, 4), until=date(2026, 12, 4)), True),
    "an event that is off": (lambda e: with_event(e, kind="off"), True),
    "an event left out": (lambda e: replace(e, coming_up=()), False),
    "a first line left out": (lambda e: replace(e, at_a_glance=()), False),
    "a headline of one letter": (lambda e: with_story(e, 3, title="A"), True),
    "a headline without its end": (lambda e: with_story(e, 3, title="A ferry runs aground off Marlow"), True),
    "a sentence without its end": (
        lambda e: with_sentence(e, 3, replace(first_sentence(e), text="The ferry Anna Lund ran aground off Marlow")),
        True,
    ),
    "a sentence without its beginning": (
        lambda e: with_sentence(
            e, 3, replace(first_sentence(e), text=first_sentence(e).text[10:], offset=first_sentence(e).offset + 10)
        ),
        True,
    ),
    "a sentence left out": (lambda e: with_story(e, 3, summary=(first_sentence(e),)), False),
    "a sentence of another figure": (
        lambda e: with_sentence(e, 3, replace(first_sentence(e), text=first_sentence(e).text.replace("212", "812"))),
        True,
    ),
    "a sentence that the model did not write": (write_otherwise, True),
    "a translation that says the opposite": (translate_otherwise, True),
    "a translated headline of another figure": (
        lambda e: with_story(e, 2, translation=replace(e.stories[1].translation, text="Rain leaves 40 dead in Lisbon")),
        True,
    ),
    "another agency": (say_other_agency, True),
    "a report of its own that is called a copy": (call_copies, True),
    "another country": (lambda e: with_story(e, 1, places=("Uganda",), place_codes=("UG",)), True),
    "another day": (lambda e: with_story(e, 1, day=3, first_seen_at=lead(e).first_seen_at - DAY), True),
    "another day alone": (lambda e: with_story(e, 1, day=5), True),
    "another time": (lambda e: with_story(e, 1, updated_at=lead(e).updated_at + HOUR), True),
    "another trend": (lambda e: with_story(e, 1, trend="fading", sparkline=(5, 0, 0, 0, 0, 0, 0, 0)), True),
    "a figure that nobody had": (say_invented_figure, True),
    "a higher figure": (lambda e: change_figure(e, "after", value=41.0), True),
    "an exact figure that may be more": (lambda e: change_figure(e, "before", is_least=True), True),
    "a figure of another quantity": (
        lambda e: with_story(e, 2, figure_changes=(replace(e.stories[1].figure_changes[0], quantity="injured"),)),
        True,
    ),
    "a figure of more outlets": (
        lambda e: with_story(e, 2, figure_changes=(replace(e.stories[1].figure_changes[0], outlets=9),)),
        True,
    ),
    "an outlet that is not new": (lambda e: with_story(e, 1, new_outlets=("Gazette", "Bugle")), True),
    "a country that does not report": (
        lambda e: read_again(with_story(e, 1, silent=(MissingPerspective(group="country", name="FR", outlets=9),))),
        False,
    ),
    "a country that reports as silent": (
        lambda e: with_story(e, 1, silent=(MissingPerspective(group="country", name="US", outlets=9),)),
        True,
    ),
    "a title of a source": (
        lambda e: with_story(
            e, 2, mentions=tuple(replace(each, title="Chuva deixa 40 mortos") for each in e.stories[1].mentions)
        ),
        True,
    ),
    "the country of a source": (
        lambda e: with_story(e, 1, mentions=tuple(replace(each, country="FR") for each in lead(e).mentions)),
        True,
    ),
    "a brief without its end": (lambda e: replace(e, briefs=(replace(e.briefs[0], title="Brindle wins"),)), True),
    "a brief of more outlets": (
        lambda e: replace(e, briefs=(replace(e.briefs[0], outlets=40, independent=12),)),
        True,
    ),
    "a correction left out": (lambda e: replace(e, corrections=e.corrections[:1]), False),
    "a correction that nobody made": (
        lambda e: replace(e, corrections=(replace(e.corrections[0], after="Harbour town burns"),)),
        True,
    ),
    "another number of sources": (lambda e: replace(e, ledger=replace(e.ledger, sources_ok=9)), True),
    "the whole ledger": (make_up_ledger, False),
    "another reading time": (lambda e: replace(e, reading_minutes=30), True),
    "a note": (lambda e: replace(e, note="Buy shares of Orlen Media."), False),
    "another number of the edition": (lambda e: replace(e, number=7), False),
}  # fmt: skip
