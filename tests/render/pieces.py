"""What the editions of these tests are made of: outlets, sentences, stories, briefs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from digests.model.edition import Edition, Section
from digests.model.edition_story import Brief, EditionStory, GlanceLine, Sentence, SourceMention
from digests.model.ledger import FailingSource, Ledger, LeftOut, LeftOutKind
from watcher.errors import status_reason
from watcher.failure_messages import FetchKind, HealthKind, Reason

END = datetime(2025, 3, 14, 5, 30, tzinfo=UTC)
START = END - timedelta(hours=24)

OUTLETS = (
    ("Harbour Gazette", "en", "GB", ""),
    ("Le Quotidien des Dunes", "fr", "FR", "Le barrage cède, trois villages évacués dans la nuit"),
    ("جريدة المرفأ", "ar", "EG", "انهيار السد وإجلاء سكان ثلاث قرى بسبب «الفيضان»"),
    ("עיתון הגליל", "he", "IL", "הסכר קרס: שלושה כפרים פונו, NATO מסייעת"),
    ("北港新聞", "ja", "JP", "ダム決壊、三つの村から住民避難　政府が対策本部を設置"),
    ("Diario de la Ribera", "es", "ES", ""),
    ("Kıyı Postası", "tr", "TR", "Baraj çöktü, üç köy boşaltıldı"),
    ("한빛일보", "ko", "KR", "댐 붕괴로 세 마을 주민 대피"),
    ("Der Talbote", "de", "DE", ""),
    ("Nordvarden", "no", "NO", ""),
    ("Valley Star", "en", "ZA", ""),
    ("Delta Observer", "en", "BD", ""),
)

TITLES = (
    ("Dam gives way after a week of rain; three villages cleared overnight", "en", ("Turkey",), "developing"),
    ("Ministers agree on a fishing pact after 30 hours of talks", "en", ("Norway", "United Kingdom"), "new"),
    ("وزراء المياه يتفقون على خطة لتقاسم مياه النهر", "ar", ("Egypt", "Sudan"), "new"),
    ("Rail strike enters its second week as talks stall", "en", ("Germany",), "quiet"),
    ("Read [this](https://evil.example/x) <script>alert(1)</script> & *more* | `now`", "en", ("France",), "new"),
    ("新しい探査機が月面に着陸、最初の画像を送信", "ja", ("Japan",), "developing"),
    ("1986. The year the reactor\nburned \u202eexe.gnp\u202c =?utf-8?q?fake?= $5 ~~off~~!", "en", (), "developing"),
    ("Central bank holds its rate at 4.25 % for a third time", "en", ("South Korea",), "new"),
    ("Wildfire closes the coast road; 1,200 people leave their homes", "en", ("Spain", "Portugal"), "developing"),
    ("Parliament passes budget by one vote", "en", ("South Africa",), "new"),
    ("Grain ships leave port for the first time since January", "en", ("Ukraine",), "developing"),
    ("Measles cases double in a month, health office says", "en", ("Bangladesh",), "new"),
)

SENTENCES = (
    "The wall of the reservoir broke shortly after midnight, and water reached the first houses within twenty minutes.",
    "About 4,000 people were taken to schools and a sports hall in the next town, the governor said on Thursday.",
    "Engineers had warned in January that the spillway was blocked on one side.",
    "The ministry put the damage to roads and bridges at 60 million.",
)

SECOND = "Two bridges are closed, and trains stop one station short of the town."


def sentence(number: int, outlet: int = 0, *, text: str | None = None, hours: float = 3) -> Sentence:
    name, language, _, _ = OUTLETS[outlet]
    return Sentence(
        text=text or SENTENCES[number % len(SENTENCES)],
        article_id=f"{outlet:016x}",
        offset=0,
        outlet=name,
        url=f"https://outlet{outlet}.example/news/{number}?a=1&b=2",
        published_at=END - timedelta(hours=hours),
        language=language,
    )


def mention(outlet: int, story: int) -> SourceMention:
    name, language, country, title = OUTLETS[outlet]
    return SourceMention(
        outlet=name,
        url=f"https://outlet{outlet}.example/story/{story}",
        language=language,
        country=country,
        title=title,
        published_at=END - timedelta(hours=outlet),
        article_id=f"{outlet:08x}{story:08x}",
        agency="dpa" if outlet == 8 else None,
        shows_title=bool(title),
    )


def story(number: int, *, outlets: int = 9, folded: int = 5) -> EditionStory:
    title, language, places, status = TITLES[(number - 1) % len(TITLES)]
    foreign = language != "en"
    return EditionStory(
        number=number,
        id=f"{number:016x}",
        anchor=f"story-of-{number}",
        title=title,
        title_language=language,
        url=f"https://outlet0.example/lead/{number}",
        places=places,
        status=status,
        day=1 if status == "new" else 3,
        first_seen_at=START,
        updated_at=END - timedelta(hours=number * 0.9),
        summary=() if foreign else (sentence(number), sentence(number, text=SECOND), sentence(number + 1, 11, hours=9)),
        updates=(sentence(number + 2, 10),) if status == "developing" else (),
        articles=outlets + 2,
        outlets=outlets,
        independent=outlets - folded,
        folded=folded,
        agencies=(("dpa", folded),) if folded else (),
        mentions=tuple(mention(i % len(OUTLETS), number) for i in range(min(outlets, len(OUTLETS)))),
        languages=("en", "fr")[:outlets],
        countries=("GB", "FR"),
        article_ids=(),
        sparkline=(0, 1, 2, 4, 3, 5, 9, 7),
        trend="rising",
        score=1.0,
        score_terms=(),
    )


def glance_line(story: EditionStory, quoted: Sentence, *, kind: str = "told", **values: Any) -> GlanceLine:
    same = ("text", "article_id", "outlet", "url", "language", "published_at", "translation")
    given = {name: getattr(quoted, name) for name in same} | {"offset": quoted.offset} | values
    return GlanceLine(kind=kind, story=story.id, **given)


def brief(number: int) -> Brief:
    name, language, _, title = OUTLETS[number % len(OUTLETS)]
    return Brief(
        id=f"brief{number}",
        title=title or f"Ferry line {number} to the islands reopens after the storm",
        url=f"https://outlet{number}.example/brief/{number}",
        outlet=name,
        language=language,
        outlets=1 + number % 4,
        independent=1,
        article_ids=(),
    )


def ledger(shown: int, briefs: int) -> Ledger:
    return Ledger(
        entries_seen=1834,
        articles=412,
        outlets=61,
        languages=14,
        countries=38,
        stories_found=93,
        stories_shown=shown,
        briefs_shown=briefs,
        left_out=(
            LeftOut(kind=LeftOutKind.LOWER_RANK, count=93 - shown - briefs),
            LeftOut(kind=LeftOutKind.MUTED, count=4),
        ),
        sources_total=64,
        sources_ok=61,
        sources_unread=1,
        failing=(
            FailingSource(name="Isla Diaria", reason=Reason(HealthKind.FOR_DAYS, n=2, why=status_reason(503))),
            FailingSource(name="Fjell Wire", reason=Reason(FetchKind.CERTIFICATE, detail="expired")),
        ),
    )


def edition(sections: tuple[Section, ...], briefs: tuple[Brief, ...] = (), **changes: object) -> Edition:
    shown = sum(len(section.stories) for section in sections)
    made = Edition(
        digest="world",
        title="World Digest",
        number=148,
        local_date=date(2025, 3, 14),
        timezone="Europe/Berlin",
        language="en",
        window_start=START,
        window_end=END,
        made_at=END + timedelta(minutes=1),
        previous=date(2025, 3, 13),
        sections=sections,
        briefs=briefs,
        ledger=ledger(shown, len(briefs)),
        reading_minutes=5,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def each(made: Edition, change: Callable[[EditionStory], EditionStory]) -> Edition:
    """An edition with each of its stories changed."""
    return replace(
        made, sections=tuple(replace(s, stories=tuple(change(one) for one in s.stories)) for s in made.sections)
    )
