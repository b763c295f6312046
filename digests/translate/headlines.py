"""The headlines of search results, translated where a model is installed."""

from collections.abc import Iterable

from sqlalchemy import Engine

from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.translate.translator import Translator, choose_target
from watcher.settings.models import Settings
from watcher.store.search import Hit


def translate_headlines(settings: Settings, store: Engine, hits: Iterable[Hit]) -> dict[str, str]:
    """Return by article the headline in a language of the reader; only of those in another one."""
    digest, section = digests_of(settings)[0], settings.section(TranslateSettings)
    translator = Translator(section, choose_target(section, digest), store)
    translations = {
        hit.id: translator("headlines", hit.title, hit.language)
        for hit in hits
        if hit.title and hit.language not in digest.read_languages and translator.can_translate(hit.language)
    }
    return {key: translation.text for key, translation in translations.items() if translation}
