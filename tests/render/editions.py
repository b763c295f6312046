"""Editions for these tests: small, empty, rich (12 stories), long (40), moved (with everything), heavy (15 of it)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from digests.model.edition import Correction, Edition, Section
from digests.model.edition_story import (
    Detail,
    Difference,
    EditionStory,
    FigureChange,
    FigureReport,
    LlmSentence,
    MissingPerspective,
    NumberChange,
    Perspective,
    Sentence,
)
from tests.render.pieces import (
    END,
    OUTLETS,
    SENTENCES,
    brief,
    each,
    edition,
    glance_line,
    ledger,
    mention,
    sentence,
    story,
)

__all__ = [
    "END",
    "OUTLETS",
    "SENTENCES",
    "Section",
    "brief",
    "each",
    "edition",
    "glance_line",
    "ledger",
    "mention",
    "sentence",
    "story",
]


def small() -> Edition:
    """Two stories and a brief: one of many outlets, one of a single outlet."""
    lead, single = story(1), story(2, outlets=1, folded=0)
    sections = (
        Section(title="Asia", anchor="asia", stories=(lead,)),
        Section(title="Europe", anchor="europe", stories=(single,)),
    )
    return edition(
        sections,
        (brief(1),),
        note="From the *night desk*: see [the calendar](https://example.org/calendar).",
        at_a_glance=(glance_line(lead, sentence(0)),),
    )


def empty() -> Edition:
    return edition((), reading_minutes=0)


def rich(stories: int = 12, briefs: int = 10) -> Edition:
    """Right-to-left and unspaced scripts, hostile titles, sources without a country, briefs."""
    regions = ("Middle East", "Europe", "Asia–Pacific", "Africa")
    per = -(-stories // len(regions))
    numbers = range(1, stories + 1)
    sections = tuple(
        Section(
            title=region,
            anchor=f"region-{i}",
            stories=tuple(story(n, outlets=7 + n % 40, folded=n % 6) for n in numbers[i * per : (i + 1) * per]),
        )
        for i, region in enumerate(regions)
    )
    return edition(sections, tuple(brief(n) for n in range(briefs)))


def long() -> Edition:
    """Forty stories whose sentences are long: far above what a mail may weigh."""
    made = rich(stories=40, briefs=30)
    stretched = tuple(
        replace(
            section,
            stories=tuple(
                replace(s, summary=tuple(sentence(i, i, text=" ".join(SENTENCES) + f" ({i})") for i in range(3)))
                for s in section.stories
            ),
        )
        for section in made.sections
    )
    return replace(made, sections=stretched)


def figure(text: str, value: float, *, outlet: int, is_least: bool = False) -> FigureReport:
    return FigureReport(text=text, value=value, is_least=is_least, mention=mention(outlet, 1), sentence=None)


def lead_with_all() -> EditionStory:
    """A story that has moved: numbers, outlets, voices, words that are watched, others gathered under it."""
    return replace(
        story(1),
        place_codes=("TR",),
        number_changes=(
            NumberChange(
                before="59",
                after="78",
                what="people",
                sentence_before=sentence(1, 0, hours=30),
                sentence_after=sentence(2, 11),
            ),
            NumberChange(
                before="2",
                after="٣",
                what="قرى",
                sentence_before=sentence(1, 2, hours=30),
                sentence_after=sentence(2, 2),
            ),
        ),
        figure_changes=(
            FigureChange(
                quantity="killed",
                before=figure("at least 15 people have been killed", 15, outlet=5, is_least=True),
                after=figure("19 morts", 19, outlet=1),
                outlets=4,
            ),
            FigureChange(
                quantity="turnout",
                before=figure("turnout of 35.5%", 35.5, outlet=11),
                after=figure("المشاركة 63", 63, outlet=2),
                outlets=1,
            ),
        ),
        new_outlets=("Valley Star", "Nordvarden", "Kıyı Postası", "Harbour <b>Gazette</b>"),
        related=(brief(1), replace(brief(4), day=2, status="quiet")),
        perspectives=(
            Perspective(group="country", name="GB", outlets=3, mention=mention(0, 1)),
            Perspective(group="outlet", name="Delta", outlets=1, mention=mention(2, 1)),
            Perspective(group="owner", name="state", outlets=2, mention=mention(1, 1)),
        ),
        differences=(
            Difference(
                details=(
                    Detail(text="4,000 people", sentences=(sentence(1), sentence(2, 11))),
                    Detail(text="3,000", sentences=(sentence(0),)),
                ),
                disagrees=True,
            ),
            Difference(details=(Detail(text="12 villages", sentences=(sentence(1),)),), disagrees=False),
        ),
        silent=(
            MissingPerspective(group="country", name="CN", outlets=4),
            MissingPerspective(group="country", name="BR", outlets=1),
            MissingPerspective(group="owner", name="party", outlets=2),
        ),
        watched=("ferry", "dam *wall*"),
    )


def written() -> EditionStory:
    """A story whose summary a model wrote."""
    sources = (sentence(1), sentence(2, 11))
    told = (
        LlmSentence(text="A reservoir wall broke at night, and 4,000 people left.", sources=sources),
        LlmSentence(text="The spillway had been blocked since January.", sources=(sentence(2, 11),)),
    )
    return replace(story(2), place_codes=("NO", "GB"), llm_sentences=told, llm_model="small-model:7b")


def correction(kind: str, before: str, after: str, *, title: str = "Dam gives way after a week of rain") -> Correction:
    name, language, _, _ = OUTLETS[0]
    return Correction(
        kind=kind,
        article_id=f"{1:016x}",
        outlet=name,
        url=f"https://outlet0.example/{kind}",
        language=language,
        cited_on=date(2025, 3, 12),
        story="s1",
        title=title,
        before=before,
        after=after,
        noticed_at=END,
    )


CORRECTIONS = (
    correction("headline", "Dam bursts, 70 dead", "Dam bursts, 17 dead", title="Dam bursts, 70 dead"),
    correction("figures", "70 people died, the governor said.", "17 people died, the governor said."),
    correction("text", "The minister <b>resigned</b>.", "The minister offered to resign."),
    correction("retracted", "Bridge said to be unsafe", "This report has been withdrawn."),
    correction("gone", "Bridge said to be unsafe", ""),
)


def moved() -> Edition:
    """Everything that an edition can have: what moved, who differs, what was corrected, quiet and gone stories."""
    quiet = replace(brief(0), status="quiet", day=3, watched=("ferry",))
    return edition(
        (
            Section(title="Asia", anchor="asia", stories=(lead_with_all(),)),
            Section(title="Europe", anchor="europe", stories=(written(),)),
        ),
        (brief(1), quiet),
        corrections=CORRECTIONS,
        ended=(replace(brief(8), title="Talks on the [border] end"), brief(4)),
    )


def at_a_glance(quoted: Sentence | None = None) -> Edition:
    """An edition with a line of each kind at the top: told, new, two figures that changed, figures that differ."""
    made, story, quoted = moved(), lead_with_all(), quoted or sentence(0)
    return replace(
        made,
        at_a_glance=(
            glance_line(story, quoted, offset=None),
            glance_line(story, quoted, kind="changed"),
            glance_line(story, quoted, kind="changed", figure_change=story.figure_changes[0]),
            glance_line(
                story, story.number_changes[0].sentence_after, kind="changed", number_change=story.number_changes[0]
            ),
            glance_line(story, sentence(1), kind="disputed", difference=story.differences[0]),
            glance_line(story, quoted, kind="disputed"),
        ),
    )


def heavy(stories: int = 15) -> Edition:
    """As many stories as a day has, each with everything."""
    everything, made = lead_with_all(), rich(stories=stories)

    def loaded(told: EditionStory) -> EditionStory:
        fields = ("number_changes", "figure_changes", "new_outlets", "related", "differences", "perspectives", "silent")
        fields += ("watched",)
        return replace(told, **{name: getattr(everything, name) for name in fields})

    return replace(each(made, loaded), corrections=CORRECTIONS)
