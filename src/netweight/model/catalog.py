"""Known models by name, and where their checkpoint folders are.

A name leads to the embedded model, to a folder under NETWEIGHT_HOME/models, or to a snapshot that
Hugging Face's tools have downloaded; anything else is taken as a folder. Downloads nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from netweight import nano
from netweight.errors import UnknownModel
from netweight.model.checkpoint import read_json
from netweight.model.config import GPT_OSS_20B, GPT_OSS_120B, Config


@dataclass(frozen=True)
class KnownModel:
    """A model that has a name here."""

    name: str
    licence: str
    repository: str | None  # on Hugging Face; None for the embedded model
    shape: Config | None  # None where it is read from the embedded config


@dataclass(frozen=True)
class ModelFolder:
    """A checkpoint folder and what to call the model."""

    name: str
    path: Path


KNOWN = (
    KnownModel("nano", "Apache-2.0", None, None),
    KnownModel("gpt-oss-20b", "Apache-2.0", "openai/gpt-oss-20b", GPT_OSS_20B),
    KnownModel("gpt-oss-120b", "Apache-2.0", "openai/gpt-oss-120b", GPT_OSS_120B),
)


def models_folder() -> Path:
    """NETWEIGHT_HOME/models, by default ~/.netweight/models: where names are looked up."""
    home = os.environ.get("NETWEIGHT_HOME")
    return (Path(home) if home else Path.home() / ".netweight") / "models"


def find_model(name_or_path: str) -> ModelFolder:
    """The checkpoint folder that a MODEL argument means.

    Raises:
        UnknownModel: when it is neither a known name with a checkpoint on disk nor a folder.
    """
    for known in KNOWN:
        if name_or_path == known.name:
            folder = locate(known)
            if folder is None:
                raise UnknownModel(
                    f"{known.name} is not on this disk. Download it from {known.repository} on "
                    f"Hugging Face, or put its folder at {models_folder() / known.name}."
                )
            return ModelFolder(known.name, folder)
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        names = ", ".join(known.name for known in KNOWN)
        raise UnknownModel(f"{name_or_path} is neither a known model ({names}) nor a folder.")
    return ModelFolder(path.resolve().name, path)


def locate(known: KnownModel) -> Path | None:
    """The folder of a known model's checkpoint, or None when it is not on this disk."""
    if known.repository is None:
        return nano.FOLDER
    own = models_folder() / known.name
    if (own / "config.json").is_file():
        return own
    config = try_to_load_from_cache(known.repository, "config.json")
    return Path(config).parent if isinstance(config, str) else None


def shape_of(known: KnownModel) -> Config:
    """The architecture of a known model."""
    if known.shape is not None:
        return known.shape
    return Config.from_json(read_json(nano.FOLDER / "config.json"))[0]


def find_shape(name_or_path: str) -> Config:
    """The architecture a SHAPE argument means: 20b, 120b, nano, or a config.json file.

    Raises:
        UnknownModel: when it is neither a name nor a file.
        ConfigError: for a file that does not describe a gpt-oss model.
    """
    for known in KNOWN:
        if name_or_path in (known.name, known.name.removeprefix("gpt-oss-")):
            return shape_of(known)
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        raise UnknownModel(f"{name_or_path} is neither 20b, 120b nor nano, nor a config.json file.")
    return Config.from_json(read_json(path))[0]
