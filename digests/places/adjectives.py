"""Adjectives and peoples of countries in many languages: from the names of their languages, and by word formation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watcher.text.words import ARABIC_ARTICLE, fold, words

# Languages that are spoken in one country above all, so that their name is its adjective too.
COUNTRY_OF = dict(
    pair.split(":")
    for pair in """
    fr:FR de:DE es:ES it:IT pt:PT nl:NL da:DK sv:SE nb:NO no:NO fi:FI is:IS et:EE lv:LV lt:LT pl:PL cs:CZ sk:SK hu:HU
    ro:RO bg:BG sr:RS hr:HR bs:BA sl:SI mk:MK sq:AL el:GR tr:TR ru:RU uk:UA be:BY ka:GE hy:AM az:AZ kk:KZ ky:KG uz:UZ
    tk:TM tg:TJ ja:JP ko:KR zh:CN vi:VN th:TH id:ID my:MM km:KH lo:LA mn:MN ne:NP so:SO mt:MT lb:LU ga:IE
    """.split()
)
LEAST = 4  # letters of a stem
LONG = 5  # letters of a stem that takes any usual ending
SLAVIC = frozenset({"ru", "uk", "be", "bg", "sr", "mk", "hr", "bs", "sl", "pl", "cs", "sk"})
AS_THEY_ARE = frozenset({"et"})  # adjectives that do not change
NOT_SO = frozenset({"vi", "th", "zh", "ja", "ko", "yue", "lo", "km", "my"})  # as the country's, or names of speech only
# What stands at the end of a language's name and not of the adjective, and what stands there instead. Folded.
ENDS = {
    "cs": (("ctina", "ck"), ("stina", "sk"), ("cina", "")),
    "sk": (("ctina", "ck"), ("stina", "sk"), ("cina", "")),
    "sl": (("scina", "sk"),),
    "tr": (("ca", ""), ("ce", "")),
    "uz": (("cha", ""),),
    "hy": (("երեն", ""),),
    "sq": (("isht", ""),),
    "ar": (("يه", "ي"),),
    "he": (("ית", "י"),),
    "fi": (("", "lai"),),
    "ru": (("ий", ""),),
    "be": (("ая", ""),),
}
VOWEL = re.compile(r"[aeiouyаеиоуыэюяіїєαეიოუ]$")
# What may stand behind a country's stem in its adjective and in the name of its people.
DERIVED = {
    **dict.fromkeys(
        ("ru", "be"), re.compile(r"\w{0,4}(?:ск|цк)\w{0,4}|[ий]?[йь]?(?:а?н)?ц(?:ы|ев|ам|ами|ах)|ь?[тч][яа]н\w{0,3}")
    ),
    "uk": re.compile(r"\w{0,4}(?:ськ|цьк)\w{0,4}|[ий]?(?:а?н)?ц(?:і|ів|ям|ями|ях)"),
    **dict.fromkeys(("bg", "mk"), re.compile(r"\w{0,3}ск\w{0,4}|\w{0,2}ц(?:и|ите)")),
    "sr": re.compile(
        r"\w{0,4}(?:ск|sk|шк)\w{0,3}|(?:k|к)(?:i|a|o|e|u|og|om|oj|im|ih|и|а|о|е|у|ог|ом|ој|им|их)|\w{0,3}(?:анц|anc|ц|c)(?:и|а|i|a|ima|има)"
    ),
    **dict.fromkeys(
        ("hr", "bs", "sl"),
        re.compile(r"\w{0,4}sk\w{0,3}|k(?:i|a|o|e|u|og|om|oj|im|ih|ima|emu|ega)|(?:an)?c(?:i|a|ima|ev|em)"),
    ),
    **dict.fromkeys(
        ("cs", "sk"),
        re.compile(r"\w{0,3}(?:[sc]?k|[sc]?t)(?:y|a|e|i|eho|emu|ych|ym|ymi|ou|ej)|(?:c|an|can)(?:i|e|u|ov|ia)"),
    ),
    "pl": re.compile(r"\w{0,2}s[kc]\w{0,4}|\w{0,2}(?:czy[ck]|an)\w{0,4}"),
    "hu": re.compile(r"i(?:ak|akat|aknak|t|nak|val)?"),
    "fi": re.compile(r"\w{0,2}lai\w{0,7}"),
    "et": re.compile(r"\w{0,2}la(?:n|s)\w{0,5}"),
    "lt": re.compile(r"\w{0,2}ie(?:t|c)\w{0,5}"),
    "en": re.compile("(?:n|an|ian)s?|ese"),
    "de": re.compile(r"\w{0,4}isch(?:e[mnrs]?)?|er(?:n|in|innen|s)?"),
    "nl": re.compile("(?:i?aan)?se?"),
    **dict.fromkeys(("sv", "da", "nb", "no"), re.compile(r"\w{0,4}sk[aet]?")),
    "ar": re.compile("ي(?:ه|ون|ين|ات|تين)?"),
    **dict.fromkeys(("fa", "ur"), re.compile("ي(?:ها|ان|ون)?")),
    "he": re.compile("י(?:ת|ם|ים|ות)?"),
    "tr": re.compile(r"l[iıu]\w{0,5}"),
    "lv": re.compile(r"\w{0,2}ie(?:t|s)\w{0,4}"),
}
SOFTENED = {"k": "c", "к": "ч"}  # the end of a stem before an adjective's: Mexiko, mexický


def is_derived(word: str, stem: str, language: str) -> bool:
    """Whether a folded word is an adjective or a people made of a country's stem."""
    pattern = DERIVED.get(language)
    if pattern is None:
        return False
    stems = [stem]
    if language in SLAVIC and stem[-1] in SOFTENED:
        stems.append(stem[:-1] + SOFTENED[stem[-1]])
    if language in SLAVIC and len(stem) > LONG and VOWEL.search(stem):
        stems.append(stem[:-1])  # Швейцария, швейцарский
    return any(word.startswith(each) and bool(pattern.fullmatch(word, len(each))) for each in stems)


def adjectives(language: str) -> Iterator[tuple[str, str, int, bool]]:
    """Yield (stem, country, letters that may stand behind it, whether it may be small) by CLDR's names of languages."""
    from digests.places.names import locales

    if language in NOT_SO:
        return
    for locale in locales(language):
        for tag, code in COUNTRY_OF.items():
            found = words(str(locale.languages.get(tag, "")))
            if found and (stem := stem_of(fold(found[0]), language)):
                ending = 0 if language in AS_THEY_ARE else 5 if len(stem) >= LONG else 3
                yield stem, code, ending, True
                people = people_of(stem, language)
                if people:
                    yield people, code, 3, language in SLAVIC


def stem_of(name: str, language: str) -> str:
    """Return the adjective's stem in the folded name of a language; empty if too little is left to know it by."""
    if language in AS_THEY_ARE:
        return name if len(name) >= LEAST else ""
    stem = ARABIC_ARTICLE.sub("", name) if language == "ar" else name
    for end, instead in ENDS.get(language, ()):
        if stem.endswith(end):
            stem = stem[: len(stem) - len(end)] + instead
            break
    else:
        stem = VOWEL.sub("", stem)
    return stem if len(stem) >= LEAST else ""


def people_of(stem: str, language: str) -> str:
    """Return the stem of a people in that of its adjective: "француз", "γαλλ"; empty if it is another word."""
    end = {"el": "ικ", "ru": "ск", "uk": "ськ", "be": "ск"}.get(language, "sk" if language in SLAVIC else "")
    least = LEAST if language == "el" else LONG
    return stem[: -len(end)] if end and stem.endswith(end) and len(stem) - len(end) >= least else ""
