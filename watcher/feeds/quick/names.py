"""The names that feedparser does more with than to keep their text."""

from __future__ import annotations

from watcher.feeds.quick.tree import Element, Unsure

# Every element that feedparser 6.0.12 has a method for; a test holds the list against the installed one.
HANDLED = frozenset(
    (
        "abstract author body category cc_license channel cloud content content_encoded contributor copyright "
        "created creativecommons_license dc_author dc_contributor dc_creator dc_date dc_description "
        "dc_language dc_publisher dc_rights dc_subject dc_title dcterms_created dcterms_issued "
        "dcterms_modified dcterms_valid description email enclosure entry expirationdate feed "
        "feedburner_browserfriendly fullitem generator geom georss_box georss_line georss_point "
        "georss_polygon georss_where georssgeom gml_exterior gml_linearring gml_linestring gml_point "
        "gml_polygon gml_pos gml_poslist guid height homepage id image info issued item itunes_author "
        "itunes_block itunes_category itunes_email itunes_explicit itunes_image itunes_keywords itunes_link "
        "itunes_name itunes_owner itunes_subtitle itunes_summary keywords language lastbuilddate link "
        "managingeditor media_category media_content media_credit media_description media_group "
        "media_keywords media_license media_player media_rating media_restriction media_thumbnail media_title "
        "modified name newlocation psc_chapter psc_chapters pubdate published rights rss source subtitle "
        "summary tagline tags textinput title updated uri url webmaster where width xhtml_body"
    ).split()
)

# Elements without a method whose text or attributes would take the place of what is read here.
TAKEN = frozenset(
    (
        "author_detail authors date date_parsed description_detail entries feedburner_origlink guid "
        "guidislink href id image_detail issued_parsed items_detail link links modified_parsed "
        "published_parsed publisher_detail summary_detail sy_updatefrequency sy_updateperiod title_detail ttl "
        "updated_parsed"
    ).split()
)

# Elements with a method that does nothing to what is read here, as long as there is no element in them.
IDLE = frozenset(
    (
        "cc_license cloud created creativecommons_license dc_contributor dc_publisher dcterms_created "
        "feedburner_browserfriendly generator georss_box georss_line georss_point georss_polygon height info "
        "itunes_block itunes_explicit media_credit media_license media_player media_rating media_restriction "
        "webmaster width"
    ).split()
)

# What may stand in a person.
PERSONAL = frozenset("name email uri url homepage itunes_name itunes_email".split())


def idle(element: Element) -> None:
    """Unsure where an element, or one in it, does something in feedparser."""
    if element.name in HANDLED or element.name in TAKEN:
        raise Unsure(f"<{element.name}>")
    for part in element.children():
        idle(part)
