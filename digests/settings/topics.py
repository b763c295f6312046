"""The topics of stories, as settings name them."""

from typing import Literal, get_args

Topic = Literal["world", "politics", "business", "science", "technology", "culture", "entertainment", "sport"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
WORLD_TOPICS: tuple[Topic, ...] = ("world", "politics")
LIGHT_TOPICS: tuple[Topic, ...] = ("technology", "culture", "entertainment", "sport")
