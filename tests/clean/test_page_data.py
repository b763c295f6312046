"""The data of a page: JSON-LD."""

from __future__ import annotations

from watcher.clean.page_data import _article_node, all_names, body_of


def test_json_ld_is_read_with_its_usual_faults() -> None:
    script = """<!-- {"@context":"https://schema.org","@graph":[
      {"@type":"Person","@id":"#ann","name":"Ann Lee"},
      {"@type":["NewsArticle"],"headline":"A line
break","author":[{"@id":"#ann"},"Bo Ek",{"@type":"Person","@id":"#nobody"}],"articleBody":"One.<br/>Two."}]} -->"""

    node = _article_node(["{broken", script])

    assert all_names(node["author"]) == ("Ann Lee", "Bo Ek")
    assert body_of(node) == "One.\nTwo."


def test_an_identity_of_another_type_names_nobody() -> None:
    node = _article_node(['{"@type":"NewsArticle","headline":"x","author":{"@id":["a"]}}'])

    assert all_names(node["author"]) == ()


def test_deep_json_ld_ends() -> None:
    assert _article_node(["[" * 50_000 + "]" * 50_000]) == {}


def test_a_long_link_in_the_body_of_the_data_leaves_its_words() -> None:
    link = f'<a href="/bank" title="{"All about the bank, its shares and its news. " * 8}">The bank</a>'

    assert body_of({"articleBody": f"{link} pays for the bridge."}) == "The bank pays for the bridge."
