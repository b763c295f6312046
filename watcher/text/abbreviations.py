"""Words that carry a full stop without ending a sentence, by language; what sentence splitting asks."""

from __future__ import annotations

# Followed by what they belong to: a name, a number. They never end a sentence. Lower case, without the last stop.
COMMON = (
    "mr mrs ms mme mlle dr prof st ste sr sra srta jr hr fr gen sen "
    "rep gov lt col sgt capt cpt maj adm rev hon cf vs ing mag"
)
BEFORE: dict[str, str] = {
    "en": ("messrs det insp supt amb sec pres atty asst assoc dept univ ft mt pt e.g i.e viz approx pvt cmdr gov.-gen"),
    "de": (
        "hr frau fr dipl bzw ca evtl ggf inkl exkl sog vgl z.b d.h u.a "
        "i.d.r z.t str abs art bspw st rd geb verh gest min max s"
    ),
    "fr": "m mm mgr me av bd env ex p art c.-à-d n st ste",
    "es": "d dña ee.uu uds ud lic ing arq gral cnel tte avda art pág núm aprox ej",
    "pt": "d dra eng arq exmo exma av art pág núm aprox ex",
    "it": "sig dott dott.ssa avv ing on sen arch geom mons rag art pag fig es ca",
    "nl": "dhr mevr mw drs ir mr ds bijv bv ca blz art nr o.a d.w.z m.b.t",
    "sv": "bl.a t.ex d.v.s s.k ca kl nr jfr f.d m.a.o",
    "da": "bl.a f.eks d.v.s s.k ca kl nr jf hhv pga ift ifm",
    "no": "bl.a f.eks dvs d.v.s s.k ca kl nr jf pga ift ifm",
    "fi": "esim ks mm n s ns ts ym",
    "is": "t.d þ.e kl nr ca",
    "pl": "np tzw tj m.in ok godz ul al im św ks płk gen mjr kpt por inż mgr art nr r im pt",
    "cs": "např tzv tj mj cca ul č čl ing mgr bc judr mudr phdr rndr plk gen kpt por sv r st",
    "sk": "napr tzv t.j cca ul č čl ing mgr judr mudr phdr plk gen sv r",
    "hu": "pl ún kb ld stb sz u dr id ifj özv",
    "ro": "dl dna dr ing nr art str bd ex cca",
    "hr": "npr tzv tj dr mr sv ul br čl g gđa",
    "sl": "npr t.i tj dr mag sv ul št čl g ga",
    "sr": "npr tzv tj dr mr sv ul br čl g нпр тзв тј др мр св ул бр чл г",
    "tr": "dr doç prof av sn vb örn bkz yrd op alb gen m.ö m.s",
    "ru": (
        "г гг т.е т.н т.д т.п т.к им ул пр просп пл д стр рис см напр "
        "проф акад ген полк кап руб коп тыс млн млрд св о оз р"
    ),
    "uk": ("м р рр т.зв т.д т.п ім вул просп пл д стор рис див напр проф акад ген полк тис млн млрд св грн о с обл"),
    "bg": "г гг т.е т.нар т.н ул бул проф акад ген полк хил млн млрд св в",
    "el": "κ κα κος π.χ δηλ αρ σελ κ.ά λ.χ",
    "hi": "डॉ श्री प्रो पं रु कि.मी मो",
    "mr": "डॉ श्री प्रा रु कि.मी",
    "ne": "डा श्री प्रा रु",
    "bn": "ডা ড মো মোঃ প্রফে রু",
    "ar": "د أ م ص",
    "he": 'ד"ר פרופ גב',
    "id": "bpk sdr hj dr ir drs prof jl no tgl",
    "vi": "ts ths pgs gs tp q",
    "lt": "pvz t.y t.t vad g gyv r sav dr prof",
    "lv": "piem t.i g dr prof nr",
    "et": "nt s.t st dr prof nr",
}
# These can end a sentence too: only a word that usually begins one tells.
MAYBE: dict[str, str] = {
    "*": (
        "etc inc ltd co corp bros u.s u.k u.n e.u d.c a.m p.m ph.d "
        "jan feb aug sept sep oct nov dec usw u.s.a ee.uu ecc итд"
    ),
    "de": "usw u.ä o.ä mio mrd",
    "sv": "m.m osv m.fl mkr",
    "da": "m.m osv m.fl mia mio",
    "no": "m.m osv m.fl mrd mill",
    "pl": "itd itp proc zł tys mln mld",
    "cs": "atd apod kč tis mil mld",
}
# Only before a number.
NUMBERED = "no nos nr núm num n art abs p pp pag pág s vol fig sec ca circa approx č br št sz стр рис ст № º"
# Languages that write "3. Mai": an ordinal is a number with a full stop.
ORDINAL_STOP = "de da no nb nn fi is fo cs sk pl hu hr sr bs sl lv et tr eu lb"
# Words that begin a sentence much more often than they follow an abbreviation.
STARTERS: dict[str, str] = {
    "en": (
        "the a an he she it they we you i this that these those there "
        "but and in on at for as when while after before his her "
        "their its our my if however according what who where why how some "
        "many most all one two both so not no since with by to from"
    ),
    "de": (
        "der die das ein eine er sie es wir ich dies diese dieser dieses "
        "dort da aber und doch im in am an auf bei für mit nach "
        "als wenn während seit vor zu zum zur laut was wer wie "
        "wo warum so auch nun nur noch man damit dazu dabei denn"
    ),
    "fr": (
        "le la les un une il elle ils elles on nous vous je ce cette "
        "ces mais et en dans au aux pour avec après avant selon si"
    ),
    "es": (
        "el la los las un una él ella ellos en pero y este esta estos "
        "estas según por para con después antes si no se su sus al"
    ),
    "pt": ("o a os as um uma ele ela eles elas em no na mas e este esta segundo por para com depois antes se não"),
    "it": (
        "il lo la i gli le un una egli lei loro in nel nella ma e questo questa secondo per con dopo prima se non si"
    ),
    "nl": ("de het een hij zij ze wij we ik dit dat deze die maar en in op bij voor met na volgens als toen er"),
    "sv": "det den de en ett han hon vi jag men och i på för med efter enligt om när",
    "da": "det den de en et han hun vi jeg men og i på for med efter ifølge hvis når",
    "no": "det den de en et han hun vi jeg men og i på for med etter ifølge hvis når",
    "pl": "to ten ta w na z po do jak ale i nie jest był on ona oni według",
    "cs": "to ten ta v na z po do jak ale a ne je byl on ona oni podle",
    "ru": "в на он она они это этот эта но и по с как если при для после также о об из к",
    "uk": "в у на він вона вони це цей ця але і й по з як якщо при для після також про із до",
}


def _table(source: dict[str, str]) -> dict[str, frozenset[str]]:
    return {language: frozenset(words.split()) for language, words in source.items()}


_COMMON = frozenset(COMMON.split())
_NUMBERED = frozenset(NUMBERED.split())
_ORDINAL_STOP = frozenset(ORDINAL_STOP.split())
_BEFORE = _table(BEFORE)
_MAYBE = _table(MAYBE)
_STARTERS = _table(STARTERS)
_ALIASES = {"nb": "no", "nn": "no", "bs": "hr", "sh": "hr"}
_NONE: frozenset[str] = frozenset()


def never_ends(word: str, language: str) -> bool:
    """Whether `word` (lower case, without its last stop) belongs to what follows it: "Dr", "z.B", "г"."""
    return word in _COMMON or word in _BEFORE.get(_ALIASES.get(language, language), _NONE)


def may_end(word: str, language: str) -> bool:
    """Whether `word` is an abbreviation that can also be the last word of a sentence: "etc", "U.S"."""
    return word in _MAYBE["*"] or word in _MAYBE.get(_ALIASES.get(language, language), _NONE)


def starts(word: str, language: str) -> bool:
    """Whether `word` is one that usually begins a sentence."""
    return word.lower() in _STARTERS.get(_ALIASES.get(language, language), _NONE)


def comes_before_number(word: str) -> bool:
    """Whether `word` belongs to a number that follows it: "No", "Nr", "p"."""
    return word in _NUMBERED


def has_ordinal_stop(language: str) -> bool:
    """Whether the language writes an ordinal with a full stop: "3. Mai"."""
    return language in _ORDINAL_STOP
