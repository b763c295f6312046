"""Each number that a form prints is counted again from the articles of the edition, or from what the form lists."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from datetime import date, timedelta
from email import message_from_bytes, policy
from itertools import chain

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from digests.compose.reading_time import reading_time
from digests.model.edition import Edition
from digests.model.ledger import STORY_KINDS, Intake, LeftOut, LeftOutKind
from digests.render.edition_view import edition_view
from digests.render.feeds import edition_items
from digests.render.forms import render
from digests.render.text import measure_reading_time
from tests.compose.factories import END, START, by_id, compose_stories, make_context, report, story
from watcher.model import Article

ENDS = (
    "From another angle:",
    "How the coverage differs:",
    "Comment:",
    "In the same running story:",
    "Timeline",
    "Covers ",
)
HEAD = re.compile(r"(\d+) stor(?:y|ies), (\d+) in full")
USED = re.compile(r"Used: ([\d,]+) articles? from (\d+) outlets? in (\d+) languages?\. Found: (\d+) stor(?:y|ies)\.")
COVERAGE = re.compile(r"(\d+) outlets?, (\d+) independent(?:, (\d+) by headline alone)?")
FOLDED = re.compile(r"(\d+) (cop(?:y|ies) of (?:an )?agency texts?|with the same text, source or owner)")
LANGUAGES = re.compile(r"(\d+) languages?(?: ·|Outlet|\n| Outlet)")
MORE = re.compile(r"and (\d+) (?:more|cop(?:y|ies))")  # the copies stand behind the outlet of their origin
UPDATED = re.compile(r"updated (?:\d+ \w+, )?(\d\d:\d\d) UTC")
CITED = re.compile(
    r"— \*?\[?(Outlet\d+x)(?:\]\([^)]*\))?(?: \([^)]*\))?\*?, (?:with \w+ text, )?(?:\d+ \w+, )?(\d\d:\d\d)"
)
NAME = re.compile(r"Outlet\d+x")

# A smaller example says no more, and to find one takes minutes.
some = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
INTAKE_KINDS = [kind for kind in LeftOutKind if kind not in STORY_KINDS]
articles = st.tuples(
    st.integers(0, 29),
    st.sampled_from(["en", "en", "de", "ar", "ja", "und"]),
    st.sampled_from([None, None, "AFP", "Reuters"]),
    st.booleans(),
    st.sampled_from(["article"] * 5 + ["opinion", "video"]),
    st.sampled_from([None, None, "Quay"]),
)


def press(rows) -> list[Article]:
    """Return an article of each row; an outlet has one language, one owner and one country."""
    made = [report("Outlet0x", "Flood", "Nepal", 300, hours=1, country="NP")]
    known = {0: ("en", None)}
    for at, (n, language, agency, has_text, kind, owner) in enumerate(rows):
        language, owner = known.setdefault(n, (language, owner))
        body = "en" if language == "und" else language
        one = report(f"Outlet{n}x", "Flood", "Nepal", 300 + at, language=body, hours=2 + at / 8, agency=agency)
        text = one.text if has_text else ""
        made.append(dataclasses.replace(one, language=language, kind=kind, text=text, owner=owner, country=f"C{n % 4}"))
    return made


def edition_of(made: list[Article]) -> Edition:
    """Return the edition of one story: the texts of an agency are copies of each other, all others are reports."""
    reports: dict[object, list[Article]] = {}
    for each in made:
        reports.setdefault(each.agency or each.id, []).append(each)
    told = story(*reports.values())
    groups = tuple(dataclasses.replace(g, agency=by_id(*made)[g.articles[0]].agency) for g in told.wire_groups)
    told = dataclasses.replace(told, wire_groups=groups)
    return compose_stories([told], make_context(by_id(*made), digest={"reads": ["en", "de", "ar", "ja"]}))


def texts_of(edition: Edition) -> dict[str, str]:
    """Return what a reader of each form sees, in one line."""
    found: dict[str, str] = {}
    for form in ("markdown", "html", "text", "eml", "epub"):
        body = render(edition, [form])[0].body
        if form == "epub":
            with zipfile.ZipFile(io.BytesIO(body)) as book:
                pages = [book.read(name) for name in book.namelist() if name.endswith(".xhtml")]
            found[form] = " ".join(lxml_html.document_fromstring(page).text_content() for page in pages)
        elif form == "eml":
            for part in message_from_bytes(body, policy=policy.default).walk():
                if part.get_content_maintype() == "text":
                    text = part.get_content()
                    is_page = part.get_content_subtype() == "html"
                    found[f"eml {part.get_content_subtype()}"] = (
                        lxml_html.document_fromstring(text).text_content() if is_page else text
                    )
        else:
            text = body.decode()
            found[form] = lxml_html.document_fromstring(text).text_content() if form == "html" else text
    (item,) = edition_items([edition], "news.example", None)
    found["feed"] = lxml_html.document_fromstring(item["content_html"]).text_content()
    return {form: " ".join(text.replace("\u200e", "").split()) for form, text in found.items()}


def listed(text: str, label: str) -> tuple[set[str], int] | None:
    """Return the outlets that the list under `label` names, and how many more it counts; None without the list."""
    if label not in text:
        return None
    behind = text.split(label, 1)[1]
    part = behind[: min((behind.index(end) for end in ENDS if end in behind), default=len(behind))]
    return set(NAME.findall(part)), sum(int(n) for n in MORE.findall(part))


@pytest.mark.slow
@some
@given(st.lists(articles, max_size=45))
def test_each_form_prints_the_counts_of_the_articles(rows):
    made = press(rows)
    edition = edition_of(made)
    (shown,) = edition.stories
    told = [each for each in made if each.kind != "opinion"]
    outlets = {each.outlet for each in told}
    bare = outlets - {each.outlet for each in told if each.text}
    languages = {each.language for each in told} - {"und"}

    for form, text in texts_of(edition).items():
        if form != "feed":
            assert HEAD.search(text).groups() == ("1", "1"), form
            assert [int(n) for n in USED.search(text).groups()] == [
                len(made),
                len({each.outlet for each in made}),
                max(1, len({each.language for each in made} - {"und"})),
                1,
            ], form
        coverage = COVERAGE.search(text)
        assert bool(coverage) == (len(outlets) > 1), form
        if coverage:
            count, independent, alone = (int(n or 0) for n in coverage.groups())
            assert (count, alone) == (len(outlets), len(bare)), form
            if form in ("html", "eml html"):
                behind = text[coverage.end() :][:80]
                folded, tongues = FOLDED.match(behind.strip()), LANGUAGES.search(behind)
                assert independent + alone + int(folded[1] if folded else 0) == len(outlets), form
                assert int(tongues[1] if tongues else 1) == max(1, len(languages)), form
                if folded and folded[2].startswith("cop"):
                    assert int(folded[1]) <= len({each.outlet for each in told if each.agency and each.text}), form
        assert UPDATED.search(text).group(1) == f"{max(each.published_at for each in told):%H:%M}", form
        times = {(each.outlet, f"{each.published_at:%H:%M}") for each in told}
        assert times.issuperset(CITED.findall(text)), form
        assert CITED.search(text) or not shown.summary, form
        if coverage and form in ("html", "eml html"):
            names, more = listed(text, coverage.group())
        elif not coverage or not (found := listed(text, coverage.group() + ":")):
            continue
        else:
            names, more = found
        assert names <= outlets, form
        assert len(names) + more == len(outlets), form


def test_the_time_to_read_is_that_of_all_words_that_the_page_has_without_its_folds(editions):
    edition = editions.heavy()
    (page,) = render(edition, ["html"])
    stories = lxml_html.document_fromstring(page.body).get_element_by_id("main_")
    for folded in stories.xpath(".//details[not(@class='story')]"):
        folded.drop_tree()
    printed = len(re.findall(r"\w+", stories.text_content()))

    minutes = measure_reading_time(edition_view(edition))

    assert printed / 230 <= minutes < 1.1 * printed / 230 + 1  # a word of Japanese is counted by its letters
    assert minutes > 2 * reading_time(sentence.text for story in edition.stories for sentence in story.quoted)


@pytest.mark.parametrize(("hours", "day"), [(-1, 2), (-23, 2), (-25, 3), (-49, 4)])
def test_each_form_prints_the_day_of_a_story_that_the_times_of_its_articles_give(hours, day):
    before = report("Outlet1x", "Flood", "Nepal", 300, hours=hours, country="NP")
    now = report("Outlet2x", "Flood", "Nepal", 900, hours=20, country="NP")
    first = compose_stories([story(before)], make_context(by_id(before)), made_at=START)
    first = dataclasses.replace(first, local_date=date(2026, 3, 9), window_end=START)
    context = make_context(by_id(now), earlier=by_id(before), earlier_editions=(first,))

    edition = compose_stories([story(before, now)], context)

    began = before.published_at
    local = began.date() + timedelta(days=began.time() >= END.time())
    assert (edition.local_date - local).days + 1 == day
    for form, text in texts_of(edition).items():
        assert f"Day {day}" in text, form


@pytest.mark.slow
@given(st.integers(0, 400), st.dictionaries(st.sampled_from(INTAKE_KINDS), st.integers(1, 90)), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_the_entries_at_the_foot_of_each_form_are_those_used_and_left_out(entries, causes, stories):
    groups = [[report(f"P{g}{n}", f"Flood{g}", "Nepal", 300 + g, hours=n) for n in range(2)] for g in range(5)]
    intake = Intake(entries_seen=entries, left_out=tuple(LeftOut(kind=kind, count=n) for kind, n in causes.items()))
    context = make_context(by_id(*chain.from_iterable(groups)), digest={"stories": stories, "briefs": 1})

    edition = compose_stories([story(*group) for group in groups], context, intake=intake)

    forms = [text for form, text in texts_of(edition).items() if form != "feed"]
    assert len(forms) == 6
    for text in forms:
        foot = " ".join(text[text.rindex("Seen: ") :].split())
        seen, used, found, full = (
            int(re.search(pattern, foot)[1].replace(",", ""))
            for pattern in (r"Seen: ([\d,]+)", r"Used: ([\d,]+)", r"Found: ([\d,]+)", r"Shown: ([\d,]+)")
        )
        lines = re.search(r"in full, ([\d,]+) in one line", foot)
        other = re.search(r"Articles without a new entry[^:]*: ([\d,]+)", foot)
        reasons = re.search(r"Left out: (.*?\))\.", foot)
        out = [(name, int(n)) for name, n in re.findall(r"([^,]+?) \((\d+)\)", reasons[1] if reasons else "")]
        of_stories = sum(n for name, n in out if name.strip(" ").removeprefix("and ").startswith("stories"))
        of_entries = sum(n for _, n in out) - of_stories
        assert seen + (int(other[1].replace(",", "")) if other else 0) == used + of_entries
        assert found == full + (int(lines[1]) if lines else 0) + of_stories
