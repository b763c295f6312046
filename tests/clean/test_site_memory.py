"""Site memory: what repeats over distinct articles, and only that."""

from __future__ import annotations

from watcher.clean.site_memory import SiteMemory, block_hashes, build_site_memory

BOX = (
    "More from the region",
    "Dam holds after a night of rain in the upper valley",
    "Schools close early as heat returns",
)


def article(number: int, *extra: str, paragraphs: int = 6) -> tuple[str, ...]:
    words = [
        f"Paragraph {chr(97 + at) * 3} of story {chr(97 + number) * 5} tells one more thing about it."
        for at in range(paragraphs)
    ]
    return (*words, *extra)


def test_a_block_on_another_article_is_furniture() -> None:
    mine = block_hashes(article(0, *BOX))

    repeated = build_site_memory([block_hashes(article(1, *BOX)), mine]).find_repeated(mine)

    assert repeated == frozenset(block_hashes(BOX))


def test_a_pages_own_earlier_version_teaches_nothing() -> None:
    mine = block_hashes(article(0, "A new line."))

    repeated = build_site_memory([block_hashes(article(0)), mine]).find_repeated(mine)

    assert repeated == frozenset()


def test_versions_of_one_article_count_once() -> None:
    versions = [block_hashes((*article(1), f"Update {chr(97 + at)}.", "The council said no.")) for at in range(8)]
    others = [block_hashes(article(number)) for number in range(2, 9)]
    mine = block_hashes(article(0, "The council said no."))

    repeated = build_site_memory([*versions, *others]).find_repeated(mine)

    assert repeated == frozenset()


def test_background_that_a_follow_up_repeats_stays_on_a_site_that_is_known() -> None:
    background = (
        "The bridge was closed in May after a lorry hit its middle pillar; since then traffic has gone by the valley. "
        * 3
    )
    pages = [block_hashes(article(number)) for number in range(1, 12)]
    pages += [block_hashes(article(number, background)) for number in (12, 13)]
    mine = block_hashes(article(0, background))

    assert build_site_memory(pages).find_repeated(mine) == frozenset()


def test_a_paragraph_that_two_reports_of_one_wire_text_share_stays_on_a_site_that_is_hardly_known() -> None:
    shared = (
        "The bridge was closed in May after a lorry hit its middle pillar; since then traffic has gone by the valley, "
        "where the people of three villages count two thousand lorries on an ordinary day, and more before a holiday."
    )
    mine = block_hashes(article(0, shared))

    assert build_site_memory([block_hashes(article(1, shared)), mine]).find_repeated(mine) == frozenset()


def test_a_subhead_that_some_articles_have_stays_and_a_label_that_most_have_goes() -> None:
    pages = [block_hashes(article(number, "Share this story")) for number in range(1, 40)]
    pages += [block_hashes(article(number, "The background")) for number in (41, 42)]
    mine = block_hashes(article(0, "The background", "Share this story"))

    assert build_site_memory(pages).find_repeated(mine) == frozenset(block_hashes(["Share this story"]))


def test_hashes_of_another_version_are_like_no_block() -> None:
    """Where this fails, hashes are made in another way: count `VERSION` up, or stored ones mean other blocks."""
    assert block_hashes(["The bridge was closed in May."]) == (10104401136066279683,)


def test_counters_and_clocks_do_not_hide_a_repetition() -> None:
    assert block_hashes(["12 comments"]) == block_hashes(["97 comments"])


def test_a_redesign_heals_itself_as_the_latest_pages_are_read() -> None:
    old = [block_hashes(article(number, "Old box of the site")) for number in range(5)]
    new = [
        block_hashes((*article(number % 20, paragraphs=3), f"{number} x", "New box", str(number)))
        for number in range(200)
    ]

    assert block_hashes(["Old box of the site"])[0] not in build_site_memory([*new, *old]).counts


def test_nothing_is_known_of_a_new_site() -> None:
    assert SiteMemory().find_repeated(block_hashes(BOX)) == frozenset()
    assert build_site_memory([]).find_repeated(block_hashes(BOX)) == frozenset()


def test_hashes_fit_the_store() -> None:
    assert all(0 <= digest < 2**64 for digest in block_hashes(["", "a" * 100_000, "\ud800"]))
