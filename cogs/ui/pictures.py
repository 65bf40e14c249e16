"""Owns how finished pictures are put into a message; a pure function, sends nothing."""

import io
import re
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot.generating import Gallery
from bot.texts import _

#: Discord's limit for alt text.
LONGEST_ALT = 1024


def add_pictures(container: ui.Container[Any], gallery: Gallery) -> list[discord.File]:
    """Add the pictures with alt text to a container and return their files, made anew for every send."""
    shown, files = ui.MediaGallery[Any](), []
    for picture, data in zip(gallery.pictures, gallery.files, strict=True):
        name = f"{_file_stem(gallery.job.title)}-{picture.seed}-{picture.position + 1}{Path(picture.blob_key).suffix}"
        alt = _("{model}: {prompt} (seed {seed})").format(
            model=gallery.job.title, prompt=gallery.job.pictures.prompt, seed=picture.seed
        )
        files.append(discord.File(io.BytesIO(data), name))
        shown.add_item(media=f"attachment://{name}", description=alt[:LONGEST_ALT])
    container.add_item(shown)
    return files


def _file_stem(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "picture"
