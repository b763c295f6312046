"""News agencies: the usual short name of each, and how it is written in credits, in many scripts."""

from __future__ import annotations

import re

# Short name: what pages write for it. Case counts: "ap" and "ani" are words.
AGENCIES: dict[str, tuple[str, ...]] = {
    "AFP": ("AFP", "Agence France-Presse", "Agence France Presse", "AFP News", "أ ف ب", "أ.ف.ب", "فرانس برس",
        "АФП", "法新社", "AFPBB News"),
    "AP": ("AP", "The Associated Press", "Associated Press", "AP News", "أسوشيتد برس", "美联社", "AP通信",
        "Ассошиэйтед Пресс"),
    "Reuters": ("Reuters", "REUTERS", "Thomson Reuters", "Reuters News", "Reuters Staff", "رويترز", "Рейтер",
        "Рейтерс", "路透社", "路透",
                "ロイター", "로이터", "רויטרס", "रॉयटर्स", "rtr"),
    "dpa": ("dpa", "DPA", "Deutsche Presse-Agentur", "dpa-AFX", "dpa-infocom", "dpa/lby", "dpa/lnw"),
    "EFE": ("EFE", "Agencia EFE", "Efe", "EFE News"),
    "ANSA": ("ANSA", "Ansa", "Redazione ANSA"),
    "Adnkronos": ("Adnkronos", "AdnKronos", "ADNKRONOS"),
    "AGI": ("AGI",),
    "Xinhua": ("Xinhua", "XINHUA", "Xinhua News Agency", "新华社", "新華社", "新华网", "شينخوا", "Синьхуа"),
    "TASS": ("TASS", "ТАСС", "ITAR-TASS"),
    "RIA Novosti": ("RIA Novosti", "РИА Новости", "РИА «Новости»"),
    "Interfax": ("Interfax", "Интерфакс", "ИНТЕРФАКС", "Interfax-Ukraine", "Інтерфакс-Україна"),
    "Ukrinform": ("Ukrinform", "Укрінформ", "Укринформ"),
    "Kyodo": ("Kyodo", "KYODO", "Kyodo News", "共同", "共同通信", "共同社"),
    "Jiji": ("Jiji Press", "Jiji", "時事", "時事通信"),
    "Yonhap": ("Yonhap", "YONHAP", "Yonhap News Agency", "연합뉴스", "연합", "聯合ニュース", "韩联社", "韓聯社"),
    "Newsis": ("Newsis", "뉴시스"),
    "PTI": ("PTI", "Press Trust of India", "पीटीआई", "भाषा"),
    "ANI": ("ANI", "Asian News International", "एएनआई"),
    "IANS": ("IANS", "Indo-Asian News Service", "आईएएनएस"),
    "UNI": ("United News of India",),
    "AA": ("AA", "Anadolu Agency", "Anadolu Ajansı", "Anadolu", "الأناضول", "Анадолу"),
    "DHA": ("DHA", "Demirören Haber Ajansı"),
    "İHA": ("İHA", "İhlas Haber Ajansı"),
    "IRNA": ("IRNA", "ایرنا", "إرنا"),
    "ISNA": ("ISNA", "ایسنا"),
    "Tasnim": ("Tasnim", "تسنیم"),
    "Mehr": ("Mehr News Agency", "خبرگزاری مهر"),
    "SANA": ("SANA", "سانا"),
    "SPA": ("SPA", "Saudi Press Agency", "واس"),
    "WAM": ("WAM", "وام"),
    "MENA": ("أ ش أ",),
    "KUNA": ("KUNA", "كونا"),
    "Petra": ("بترا",),
    "Lusa": ("Lusa", "LUSA", "Agência Lusa"),
    "Agência Brasil": ("Agência Brasil",),
    "Estadão Conteúdo": ("Estadão Conteúdo", "Estadao Conteudo"),
    "Folhapress": ("Folhapress", "FOLHAPRESS"),
    "APA": ("APA", "Austria Presse Agentur"),
    "Keystone-SDA": ("SDA", "Keystone-SDA", "sda", "ATS", "Keystone-ATS"),
    "Belga": ("Belga", "BELGA"),
    "ANP": ("ANP",),
    "NTB": ("NTB", "©NTB"),
    "TT": ("TT", "TT Nyhetsbyrån", "TT-AFP", "TT-Reuters"),
    "Ritzau": ("Ritzau", "/ritzau/", "Ritzaus Bureau"),
    "STT": ("STT",),
    "BNS": ("BNS",),
    "ELTA": ("ELTA",),
    "LETA": ("LETA",),
    "CTK": ("ČTK", "CTK", "ČTK/AP"),
    "TASR": ("TASR",),
    "SITA": ("SITA",),
    "PAP": ("PAP", "Polska Agencja Prasowa"),
    "MTI": ("MTI",),
    "Agerpres": ("Agerpres", "AGERPRES"),
    "Mediafax": ("Mediafax", "MEDIAFAX"),
    "BTA": ("БТА", "BTA"),
    "HINA": ("Hina", "HINA"),
    "STA": ("STA",),
    "Tanjug": ("Tanjug", "TANJUG", "Танјуг"),
    "Beta": ("Agencija Beta",),
    "AMNA": ("ΑΠΕ-ΜΠΕ", "ΑΠΕ", "AMNA"),
    "Europa Press": ("Europa Press", "EUROPA PRESS"),
    "Télam": ("Télam", "TELAM", "Telam"),
    "Notimex": ("Notimex", "NOTIMEX"),
    "Prensa Latina": ("Prensa Latina",),
    "PA": ("PA Media", "Press Association", "PA news agency", "PA"),
    "AAP": ("AAP", "Australian Associated Press"),
    "CP": ("The Canadian Press", "Canadian Press", "La Presse Canadienne"),
    "UPI": ("UPI", "United Press International"),
    "Bloomberg": ("Bloomberg", "Bloomberg News"),
    "Dow Jones": ("Dow Jones Newswires",),
    "CNA": ("中央社",),
    "VNA": ("TTXVN",),
    "Antara": ("ANTARA", "Antara"),
    "Bernama": ("Bernama", "BERNAMA"),
    "APP": ("APP",),
    "BSS": ("BSS",),
    "SID": ("SID", "sid"),
    "epd": ("epd",),
    "KNA": ("KNA",),
    "AWP": ("awp",),
    "GlobeNewswire": ("GLOBE NEWSWIRE", "GlobeNewswire"),
    "PR Newswire": ("PRNewswire", "PR Newswire"),
    "Media OutReach": ("Media OutReach Newswire",),
}  # fmt: skip
# Names that stand for themselves in the author field of a site that is not the agency's own.
AMBIGUOUS = frozenset(("AA", "PA", "SPA", "APP", "STA", "SITA", "Mehr", "CP", "SID", "AGI", "ATS"))

CREDIT_MAX = 40  # characters of "AFP/The Local"
_BY_NAME = {written: name for name, all_written in AGENCIES.items() for written in all_written}
_LONGEST_FIRST = sorted(_BY_NAME, key=len, reverse=True)
_NAME = "|".join(re.escape(written) for written in _LONGEST_FIRST)
ONE_NAME = rf"(?:{_NAME})(?!\w)"
# One agency or several with what joins them: "AFP", "dpa/AFP", "Reuters, AP", "(afp/jm)".
NAMES = rf"(?:{_NAME})(?:\s?(?:[/,;&+·-]|\s(?:and|und|et|y|e|i|og|och|en|a)\s)\s?(?:{_NAME}|[\w.]{{2,14}}))*"
_LIST = re.compile(rf"(?P<names>{NAMES})")
_ANY = re.compile(rf"(?<!\w){ONE_NAME}")
_FIRST = re.compile(rf"(?:{_NAME})(?!\w)")


def agency_of(text: str) -> str | None:
    """Return the short name of the agency that a credit names first, None if it is not a credit: "AFP/The Local"."""
    bare = text.strip(" \t()[]{}.,;:–—-/|©*")
    for prefix in (
        "by ",
        "By ",
        "von ",
        "Von ",
        "par ",
        "por ",
        "di ",
        "Source: ",
        "Quelle: ",
        "Fuente: ",
        "with ",
        "mit ",
    ):
        bare = bare.removeprefix(prefix)
    found = _LIST.fullmatch(bare) or (_LIST.fullmatch(bare.split("/")[0]) if len(bare) <= CREDIT_MAX else None)
    if found is None:
        return None
    first = _FIRST.match(found.group("names"))
    return _BY_NAME.get(first.group()) if first else None


def agency_in(text: str) -> str | None:
    """Return the short name of the first agency that `text` names, None if there is none."""
    found = _ANY.search(text)
    return _BY_NAME.get(found.group()) if found else None


def name_in(found: str) -> str | None:
    """Return the short name of the agency that `found`, a match of `NAMES`, begins with."""
    first = _FIRST.match(found)
    return _BY_NAME.get(first.group()) if first else None
