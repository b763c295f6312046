"""Features that an older version made: made anew from the stored article, so that a window is of one version."""

from __future__ import annotations

from dataclasses import replace

from watcher.features.extract import extract_features
from watcher.model import FEATURES_VERSION, Article, Features


def renewed(features: Features, article: Article) -> Features:
    """Return `features` as this version makes them of `article`; the vector, which has its own version, is kept."""
    if features.version == FEATURES_VERSION:
        return features
    made = extract_features(article.id, title=article.title, text=article.text, language=article.language)
    return replace(made, vector=features.vector, vector_model=features.vector_model)
