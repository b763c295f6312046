"""Rules of single sites."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html

from watcher.clean.article import clean
from watcher.clean.site_rules import (
    SiteRules,
    _parse_rules,
    apply_rules,
    load_builtin_rules,
    read_folder,
    rules_for,
)
from watcher.errors import SettingsError
from watcher.text.css import xpath_of

FIRST = "The harbour office said on Monday that the ferry would run again from May, after repairs to its engine."
SECOND = "Nobody could say in the evening how long the road along the shore would stay shut for lorries and buses."
BOX = "The harbour was built by monks in the twelfth century and has had three lighthouses since, of which one stands."
PAGE = (
    "<html><body><h1>Ferry</h1><p class='when'>5 May 2025, 10:00</p>"
    f"<div class='box note' id='old'><p>{BOX}</p></div>tail"
    f"<div class='text'><p>{FIRST}</p><div class='text'><p>{SECOND}</p></div></div></body></html>"
)


def rules(text: str) -> SiteRules:
    return _parse_rules(f'hosts = ["news.example"]\nreason = "A box stands before the text."\n{text}', path="a.toml")


def faults(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _parse_rules(text, path="sites/news.toml")
    return [str(problem) for problem in caught.value.problems]


def test_what_a_site_drops_goes_with_its_rule_and_leaves_what_stands_behind_it() -> None:
    tree = html.document_fromstring(PAGE)

    made = apply_rules(tree, rules('drop = [".box"]'))

    assert [(cut.rule, cut.text) for cut in made.dropped] == [("site", BOX)]
    assert BOX not in tree.text_content()
    assert "tail" in tree.text_content()


def test_the_text_is_looked_for_where_the_site_says() -> None:
    made = apply_rules(html.document_fromstring(PAGE), rules('body = "div.text"'))

    shown = "".join(made.body.itertext())
    assert BOX not in shown
    assert shown.count(SECOND) == 1


def test_rules_that_match_nothing_leave_the_page_as_it_is() -> None:
    tree = html.document_fromstring(PAGE)

    made = apply_rules(tree, rules('body = "#nothing"\ndrop = ["aside"]\ndate = "time"'))

    assert made.body is tree
    assert (made.dropped, made.published_at) == ((), None)
    assert apply_rules(tree, None).body is tree


def test_a_site_can_say_where_its_date_stands() -> None:
    made = apply_rules(html.document_fromstring(PAGE), rules('date = ".when"'))

    assert made.published_at is not None
    assert made.published_at.isoformat()[:10] == "2025-05-05"


@pytest.mark.slow
def test_an_article_is_cleaned_by_the_rules_of_its_site() -> None:
    own = (rules('drop = [".box"]\ndate = ".when"'),)

    cleaned = clean(PAGE, url="https://www.news.example/ferry", sites=own)
    other = clean(PAGE, url="https://other.example/ferry", sites=own)

    assert BOX not in cleaned.text
    assert FIRST in cleaned.text
    assert cleaned.published_at is not None and cleaned.published_at.day == 5
    assert "site" in {cut.rule for cut in cleaned.removed}
    assert BOX in other.text


@pytest.mark.parametrize(
    ("selector", "ids"),
    [
        ("p", ["a", "b"]),
        ("div p", ["a", "b"]),
        ("div > p", ["a"]),
        (".x", ["a", "s"]),
        ("p.x.y", ["a"]),
        ("#b", ["b"]),
        ("*[data-k]", ["b"]),
        ("[data-k=one]", ["b"]),
        ('[data-k^="o"]', ["b"]),
        ('[data-k$="ne"]', ["b"]),
        ('[data-k*="n"]', ["b"]),
        ("[class~=y]", ["a"]),
        ("p#b, section.x", ["b", "s"]),
        ("p:first-child", ["a", "b"]),
        ("p + section", ["s"]),
        ("p:not(.x)", ["b"]),
    ],
)
def test_a_selector_finds_what_css_finds(selector: str, ids: list[str]) -> None:
    page = "<div><p id='a' class='x y'>1</p><section id='s' class='x'><p id='b' data-k='one'>2</p></section></div>"
    tree = html.document_fromstring(page)

    assert sorted(element.get("id") for element in tree.xpath(xpath_of(selector))) == sorted(ids)


@pytest.mark.parametrize("selector", ["", "p:first", "p::text", "svg|p", "a >", ".1", "[x", "p,", "a{}", "x" * 400])
def test_a_selector_that_is_not_known_is_a_fault(selector: str) -> None:
    with pytest.raises(ValueError):
        xpath_of(selector)


def test_each_fault_of_a_file_is_named_with_its_line() -> None:
    text = 'hosts = ["News.Example"]\nreasons = "x"\ndrop = [".a",\n  "p:first"]\nbody = 3\n'

    found = faults(text)

    assert [fault.split(":")[1] for fault in found] == ["2", "1", "1", "4", "5"]
    assert any('did you mean "reason"' in fault for fault in found)
    assert all(fault.startswith("sites/news.toml:") for fault in found)


def test_a_file_that_is_no_toml_is_named_with_its_line() -> None:
    assert faults('hosts = ["news.example"]\nreason = why\n')[0].startswith("sites/news.toml:2:")


def test_a_file_that_does_nothing_is_a_fault() -> None:
    assert "has no rule" in faults('hosts = ["news.example"]\nreason = "x"\n')[0]


def test_a_folder_gives_the_rules_of_all_its_files_or_all_their_faults(tmp_path: Path) -> None:
    good = 'hosts = ["{}"]\nreason = "A box."\ndrop = [".box"]\n'
    (tmp_path / "a.toml").write_text(good.format("a.example"))
    (tmp_path / "b.toml").write_text(good.format("b.example"))
    (tmp_path / "notes.txt").write_text("not a rule")

    assert [rule.hosts for rule in read_folder(tmp_path)] == [("a.example",), ("b.example",)]

    (tmp_path / "a.toml").write_text("hosts = 1")
    (tmp_path / "c.toml").write_bytes(b"reason = '\xff'")
    with pytest.raises(SettingsError) as caught:
        read_folder(tmp_path)
    assert {Path(problem.path).name for problem in caught.value.problems} == {"a.toml", "c.toml"}


def test_a_folder_that_is_not_there_has_no_rules(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "sites") == ()


def test_a_host_may_be_an_address(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('hosts = ["127.7.0.4"]\nreason = "A box."\ndrop = [".box"]\n')

    assert rules_for("127.7.0.4", read_folder(tmp_path)) is not None


def test_ones_own_rules_go_first_and_the_longest_host_wins() -> None:
    site, part = rules('drop = [".a"]'), rules('drop = [".b"]')
    part = SiteRules(hosts=("sport.news.example",), reason="x", drop=part.drop)

    assert rules_for("www.news.example", (site, part)) is site
    assert rules_for("live.sport.news.example", (site, part)) is part
    assert rules_for("thenews.example", (site, part)) is None


def test_the_rules_that_come_along_are_few_and_each_has_its_reason() -> None:
    assert 0 < len(load_builtin_rules()) <= 20
    assert all(len(rule.reason) > 20 for rule in load_builtin_rules())
