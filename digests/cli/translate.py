"""`watcher translate`: the models of Firefox's engine, and whether a pair of languages is translated."""

import time
from collections.abc import Sequence
from datetime import UTC
from typing import Annotated, Any

from typer import Argument, BadParameter

from digests.errors import TranslationError
from digests.model.ledger import TranslationFault
from digests.render.ledger import describe_fault
from digests.render.localizer import english
from digests.settings.digests import digests_of
from digests.settings.translate import TranslateSettings
from digests.summarise.checks import find_translation_fault
from digests.translate.engines import MODEL_HINT, PAIR, PIVOT, FirefoxEngine, find_models, install_model
from digests.translate.translator import (
    MAX_TRANSLATED_LINE_CHARS,
    choose_target,
    find_lacking_models,
    is_too_long,
    make_engine,
)
from watcher.cli.options import Config, Json, load_settings
from watcher.cli.output import format_bytes, print_lines, print_result

MAX_LANGUAGES_NAMED = 8


def _check_pair(pair: str) -> str:
    match = PAIR.fullmatch(pair)
    if match is None or match[1] == match[2]:
        raise BadParameter(f'got "{pair}", expected two languages such as "pt-en"')
    return pair


Pair = Annotated[
    str, Argument(metavar="PAIR", callback=_check_pair, help='Languages: source and target, such as "pt-en".')
]


def list_models(config: Config = None, json: Json = False) -> None:
    """
    List the installed models, and those that your sources need.

    A model is listed for each source whose `language` is set and is not one that you read (`reads` of the digest). If
    other articles are in a language that has no model, `watcher status` and the end of an edition say which.
    """
    settings = load_settings(config)
    section = settings.section(TranslateSettings)
    sizes = {
        pair: sum(path.stat().st_size for path in files.values()) for pair, files in find_models(section.models).items()
    }
    missing = {digest.name: find_lacking_models(settings, digest) for digest in digests_of(settings)}
    missing_pairs = {digest: list(pairs) for digest, pairs in missing.items()}
    values = {"engine": section.engine, "folder": section.models, "models": sizes, "lacking": missing_pairs}
    lines = [f"engine: {section.engine}, models in {section.models}: {len(sizes)}"]
    lines += [f"  {pair}  {format_bytes(size)}" for pair, size in sizes.items()]
    for digest in digests_of(settings):
        if pairs := missing[digest.name]:
            lines.append(f"missing for {digest.name}, which reads {_name_languages(digest.read_languages)}:")
            target = choose_target(section, digest)
            lines += [f"  {pair}  {_explain_need(pair, tags, target)}" for pair, tags in pairs.items()]
    print_result(values, lines if sizes else [*lines, MODEL_HINT], json=json)


def _explain_need(pair: str, tags: Sequence[str], read: str) -> str:
    """Return why a digest that is translated into `read` needs a model: for sources in these languages."""
    source, target = pair.split("-")
    needed = f"for sources in {_name_languages(tags)}"
    if target != read:
        return f"{needed}: to English, and with {target}-{read} to {_name_languages([read])}"
    by_way = [tag for tag in tags if tag != source]
    return f"{needed}: {_name_languages(by_way)} by way of English" if by_way and source == PIVOT else needed


def _name_languages(tags: Sequence[str]) -> str:
    words = english(UTC)
    return words.list_names((words.locale.languages.get(tag, tag) for tag in tags), MAX_LANGUAGES_NAMED)


def install(
    pair: Pair,
    origin: Annotated[
        str | None, Argument(metavar="FROM", help="A folder, an archive or a URL; by default, url in [translate].")
    ] = None,
    config: Config = None,
) -> None:
    """
    Install a Firefox translation model from a folder, an archive (zip, tar) or a URL, and test it.

    If no model translates between two languages directly, install two: ar-en and en-de for Arabic to German.
    """
    section = load_settings(config).section(TranslateSettings)
    if origin is None and (section.url is None or section.engine != "firefox"):
        raise BadParameter("expected a folder, an archive or a URL; or set the url of [translate]", param_hint="FROM")
    install_model(section.models, pair, origin or str(section.url))
    print_lines([f"{pair}: installed in {section.models / pair}, and tested"])


def translate(
    pair: Pair,
    text: Annotated[str, Argument(metavar="TEXT", help="A headline or sentence.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Translate a text, and say whether an edition would show the translation."""
    section = load_settings(config).section(TranslateSettings)
    source, target = pair.split("-")
    engine, started = make_engine(section) or FirefoxEngine(section.models), time.perf_counter()
    if engine.find_model(source, target) is None:
        raise TranslationError(f"there is no model for {pair} in {section.models}", hint=MODEL_HINT)
    translation = engine.translate(text[:MAX_TRANSLATED_LINE_CHARS], source, target)
    values: dict[str, Any] = {"pair": pair, "text": text, "translation": translation}
    fault = find_translation_fault(text, translation, source=source, target=target)
    fault = TranslationFault.TEXT_TOO_LONG if is_too_long(text) else fault
    values |= {"is_shown": fault is None, "fault": fault}
    values["took_s"] = round(time.perf_counter() - started, 3)
    lost = f" (an edition would not show it: {describe_fault(fault)})" if fault else ""
    print_result(values, [f"{translation}{lost}"], json=json)
