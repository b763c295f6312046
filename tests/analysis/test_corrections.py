"""What outlets change in cited reports: told once, as before and after, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from digests.analysis.corrections import (
    Citation,
    apply_revisions,
    collect_citations,
    find_corrections,
    pages_to_recheck,
)
from digests.edition.verify import verify
from tests.compose.factories import END, article, by_id, edition_of, report
from watcher.model import Revision

BODY = (
    "A fire in the port of Orlen killed 12 people on Monday, the mayor said.\n"
    "The warehouse belonged to a shipping company from Tarn.\n"
    "Firemen needed nine hours until the flames were out.\n"
    "Schools near the port stay closed until Thursday."
)
HEADLINE = "Fire in the port of Orlen kills 12"
CITED = (BODY.split("\n")[0],)
NOTICED = END + timedelta(hours=3)


def told(title=HEADLINE, text=BODY, *, kind="changed", quoted=CITED, since=END, earlier=()):
    one = article("Post", HEADLINE, BODY)
    citation = Citation(on=date(2026, 3, 10), story="s1", title=HEADLINE, texts=quoted)
    last = Revision(article_id=one.id, at=NOTICED, kind=kind, title=title, text=text)
    before = tuple(
        Revision(article_id=one.id, at=END - timedelta(hours=n), kind="changed", title=t, text=x)
        for n, (t, x) in enumerate(earlier, 1)
    )
    found = find_corrections({one.id: citation}, by_id(one), {one.id: (*before, last)}, since=since)
    return [(c.kind, c.before, c.after) for c in found]


def test_a_figure_that_has_changed_is_told_with_both_sentences():
    old, new = BODY.split("\n")[0], BODY.split("\n")[0].replace("12", "21")

    assert told(text=BODY.replace("12", "21")) == [("figures", old, new)]


def test_a_figure_counts_also_in_a_sentence_that_was_not_cited():
    text = BODY.replace("Thursday", "Thursday 14 March")

    assert [kind for kind, _, _ in told(text=text, quoted=())] == ["figures"]


def test_a_cited_sentence_that_says_something_else_is_told():
    text = BODY.replace("killed 12 people on Monday, the mayor said", "hurt 12 people on Sunday, a port worker said")

    assert [kind for kind, _, _ in told(text=text)] == ["text"]


def test_a_cited_sentence_that_is_no_longer_there_is_told():
    assert told(text="\n".join(BODY.split("\n")[1:])) == [("text", BODY.split("\n")[0], "")]


def test_a_new_headline_is_told_but_not_its_punctuation():
    assert told(title="Fire in Orlen's port: twelve dead") == [
        ("headline", HEADLINE, "Fire in Orlen's port: twelve dead")
    ]
    assert told(title="Fire in the Port of Orlen kills 12!") == []


@pytest.mark.parametrize(
    "text",
    [
        BODY + "\nUpdated at noon with the firemen's account.",
        BODY.replace("Firemen needed", "The firemen needed"),
        "Read more stories in our app. Subscribe today for full access to everything.",
    ],
)
def test_additions_small_rewording_and_another_page_are_no_corrections(text):
    assert told(text=text) == []


def test_a_retraction_and_a_vanished_page_are_told_as_such():
    note = "This article has been retracted: the fire was in Tarn."

    assert told(text=note) == [("retracted", BODY.split("\n")[0], note)]
    assert told("", "", kind="gone") == [("gone", BODY.split("\n")[0], "")]


def test_what_an_earlier_edition_told_is_not_told_again():
    changed = BODY.replace("12", "21")

    assert told(text=changed, since=NOTICED + timedelta(hours=1)) == []
    assert told(text=changed + "\nMore soon.", earlier=[(HEADLINE, changed)]) == []


def test_an_edition_quotes_what_a_page_says_now_and_leaves_out_what_is_gone():
    one, two = article("Post", HEADLINE, BODY), article("Herald", "Port of Orlen burns", BODY)
    revisions = {
        one.id: (Revision(article_id=one.id, at=NOTICED, kind="changed", title=HEADLINE, text="New."),),
        two.id: (Revision(article_id=two.id, at=NOTICED, kind="gone"),),
    }

    assert apply_revisions([one, two], revisions) == (replace(one, text="New."),)


def test_what_an_edition_cites_is_known_and_looked_at_again():
    groups = [[report(f"N{n}", "Flood", "Nepal", 300, hours=3 + n) for n in range(3)]]
    edition = edition_of(groups)
    (shown,) = edition.stories

    known, looks = collect_citations([edition]), pages_to_recheck(edition)

    assert set(known) == set(looks) == set(shown.article_ids)
    assert looks[shown.summary[0].article_id] == 3
    assert shown.summary[0].text in known[shown.summary[0].article_id].texts


def test_a_correction_is_proved_by_both_versions():
    one = article("Post", HEADLINE, BODY)
    last = Revision(article_id=one.id, at=NOTICED, kind="changed", title=HEADLINE, text=BODY.replace("12", "21"))
    citation = Citation(on=date(2026, 3, 10), story="s1", title=HEADLINE)
    (found,) = find_corrections({one.id: citation}, by_id(one), {one.id: (last,)}, since=END)
    edition = replace(edition_of([[one]]), corrections=(found,))

    assert verify(edition, by_id(one), {one.id: (last,)}) == ()
    assert verify(edition, by_id(one))
    forged = replace(edition, corrections=(replace(found, after=found.after.replace("21", "99")),))
    assert verify(forged, by_id(one), {one.id: (last,)})
