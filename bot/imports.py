"""Owns how a LoRA that was made elsewhere comes in: fetched with a cap, judged by its header; never loads a tensor."""

import asyncio
import hashlib
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.consent import Depicted
from bot.consents import new_consent
from bot.downloads import Upload
from bot.errors import BadInput, CannotServe, WrongMoment
from bot.guild import Act
from bot.guilds import Guilds, without_blocked_words
from bot.ids import new_id
from bot.lora import Lora
from bot.place import Place
from bot.store import consents as consent_rows
from bot.store import guilds as guild_rows
from bot.store import loras as rows
from bot.store.database import Database
from bot.texts import _
from providers.artifacts import Artifacts, Caps
from providers.base import LoraFormat
from providers.errors import ArtifactBroken, ProviderError
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry
from providers.weights import inspect_weights
from providers.weights_header import WeightsHeader, read_header, write_clean

MIB = 1024 * 1024
#: Ten minutes for what a slow server sends; the form's answer is lost after fifteen.
SECONDS = 600.0
MOST_IMPORTED = 25


@dataclass(frozen=True, kw_only=True)
class ImportWishes:
    """What somebody says about a LoRA that they bring; what they leave out is looked for in its file."""

    kind: SubjectKind
    depicted: Depicted
    base_model: BaseModelName | None = None
    trigger_word: str = ""
    upload: Upload | None = None
    link: str = ""


class Imports:
    """Brings LoRAs in, each call for one person.

    Args:
        database: Where the model is kept.
        blobs: Where its file is kept.
        registry: Who could make pictures with it.
        guilds: Who may.
        attachments: Fetches what Discord keeps.
        links: Fetches what people point to.
        clock: The time.
        work_dir: Folder for files that are not judged yet.
        most_bytes: Largest file; 0 for no imports at all.
    """

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        registry: Registry,
        guilds: Guilds,
        attachments: Artifacts,
        links: Artifacts,
        clock: Clock,
        work_dir: Path,
        most_bytes: int,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._guilds = guilds
        self._attachments = attachments
        self._links = links
        self._clock = clock
        self._work_dir = work_dir
        self._most_bytes = most_bytes

    async def admit(self, person_id: int, place: Place) -> None:
        """Let pass who may import there.

        Raises:
            CannotServe: the operator does not want imports.
            NotAllowed: the server's managers do not let them train.
            WrongMoment: they have imported as many as fit.
        """
        if not self._most_bytes:
            raise CannotServe(_("Models cannot be imported here."), advice=_("Ask the operator of this bot."))
        await self._guilds.admit(person_id, place, Act.TRAIN)
        async with self._database.begin() as connection:
            if await rows.imported_by(connection, person_id) >= MOST_IMPORTED:
                raise WrongMoment(
                    _("You have imported {most} models, and no more fit.").format(most=MOST_IMPORTED),
                    advice=_("Delete one with /models delete."),
                )

    async def bring(self, person_id: int, wishes: ImportWishes, place: Place) -> Lora:
        """Fetch a LoRA, judge it, and keep it as a model of this person.

        Raises:
            BadInput: it does not arrive, is no LoRA that fits, or does not say for which base model it is.
            CannotServe: nobody here makes pictures with such a one.
            NotAllowed: the server does not let them, or does not want a word of its name.
            WrongMoment: they have it already.
        """
        await self.admit(person_id, place)
        word = words.trigger_word(wishes.trigger_word) if wishes.trigger_word.strip() else ""
        lora_id = new_id()
        folder = self._work_dir / f"import-{lora_id}"
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        try:
            name = await self._fetch(wishes, folder / "fetched")
            header, layout = await asyncio.to_thread(_judged, folder / "fetched")
            base_model = _base_model(header, wishes.base_model)
            self._refuse_unusable(base_model, layout)
            word = word or _plain_word(header.trigger_word)
            clean = folder / "clean"
            await asyncio.to_thread(write_clean, folder / "fetched", clean, base_model=base_model, trigger_word=word)
            lora = Lora(
                id=lora_id,
                owner_id=person_id,
                name=_name(header, name),
                trigger_word=word,
                kind=wishes.kind,
                base_model=base_model,
                format=layout,
                job_id=None,
                blob_key=f"loras/{lora_id}.safetensors",
                sha256=await asyncio.to_thread(_sha256, clean),
                size=(await asyncio.to_thread(clean.stat)).st_size,
                facts={},
                created_at=self._clock.now(),
                depicted=wishes.depicted,
            )
            return await self._keep(lora, clean, place)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _fetch(self, wishes: ImportWishes, to: Path) -> str:
        """Bring the file and return its name."""
        if bool(wishes.upload) == bool(wishes.link.strip()):
            raise BadInput(_("Attach a file or give a link, one of the two."))
        caps = Caps(bytes=self._most_bytes, seconds=SECONDS)
        try:
            if wishes.upload is not None:
                await self._attachments.fetch(wishes.upload.url, to, caps)
                return wishes.upload.file_name
            await self._links.fetch(wishes.link.strip(), to, caps)
        except ArtifactBroken as error:
            raise BadInput(
                error.message, values=error.values, advice=_("A direct https link to a .safetensors file works.")
            ) from error
        except ProviderError as error:
            raise BadInput(
                _("The server of that file cannot be reached, or is busy."), advice=_("Try again in a few minutes.")
            ) from error
        return PurePosixPath(unquote(urlsplit(wishes.link.strip()).path)).name

    def _refuse_unusable(self, base_model: BaseModelName, layout: LoraFormat) -> None:
        if not self._registry.image_makers_for(base_model, layout):
            raise CannotServe(
                _("No provider here makes pictures with {base_model} models in the layout of {layout}.").format(
                    base_model=base_model.label, layout=layout.value
                ),
                advice=_("Ask the operator of this bot."),
            )

    async def _keep(self, lora: Lora, path: Path, place: Place) -> Lora:
        async with self._database.begin() as connection:
            settings = await guild_rows.settings(connection, place.guild_id)
            without_blocked_words(settings, lora.name, lora.trigger_word)
            same = await rows.same_file(connection, lora.owner_id, lora.sha256)
        if same is not None:
            raise WrongMoment(
                _("You have that one already: **{model}**.").format(model=same.name),
                advice=_("/models show opens it."),
            )
        await self._blobs.put(lora.blob_key, path)
        answer = new_consent(lora.owner_id, lora.depicted or Depicted.NOBODY, draft_id=None, at=lora.created_at)
        kept = replace(lora, consent_id=answer.id)
        async with self._database.begin() as connection:
            await consent_rows.insert(connection, answer)
            await rows.insert(connection, kept)
        return kept


def _judged(path: Path) -> tuple[WeightsHeader, LoraFormat]:
    """Return what a file's header tells; blocks for a few milliseconds.

    Raises:
        BadInput: it is no LoRA, damaged, or of a layout that nobody here reads.
    """
    try:
        header = read_header(path)
        layout = LoraFormat.SKETCH if header.is_sketch else inspect_weights(path).format
    except ArtifactBroken as error:
        raise BadInput(
            _("That file is no LoRA in the safetensors format, or it is damaged."),
            advice=_("Older .pt and .ckpt files can run code and are never taken."),
        ) from error
    if layout is None:
        raise BadInput(
            _("That file's layout is not one that I know."),
            advice=_("LoRAs as kohya's sd-scripts or diffusers write them are taken; LyCORIS and the like are not."),
        )
    return header, layout


def _base_model(header: WeightsHeader, wanted: BaseModelName | None) -> BaseModelName:
    found = header.base_model
    if found is not None and wanted is not None and found is not wanted:
        raise BadInput(
            _("That file is for {found}, not for {wanted}.").format(found=found.label, wanted=wanted.label),
            advice=_("Leave base_model out."),
        )
    if found is None and header.said and not header.said.isspace():
        raise BadInput(
            _("That file is for “{said}”, which nobody here makes pictures with.").format(
                said=words.file_label(header.said)
            ),
            advice=_("FLUX.1 [dev], FLUX.2 [dev], Stable Diffusion XL and 1.5 can be imported."),
        )
    if found is None and wanted is None:
        raise BadInput(
            _("That file does not say which base model it is for."),
            advice=_("Use /models import again and choose base_model."),
        )
    return found or wanted or BaseModelName.SKETCH


def _plain_word(said: str) -> str:
    """Return the trigger word that a file names, if it is one that could be typed here."""
    try:
        return words.trigger_word(said) if said else ""
    except BadInput:
        return ""


def _name(header: WeightsHeader, file_name: str) -> str:
    """Return a name for people from what the file is called, or calls itself."""
    for said in (header.metadata.get("modelspec.title", ""), file_name.removesuffix(".safetensors")):
        plain = " ".join(re.sub(r"[^\w .+-]|_", " ", said).split())[: words.LONGEST_NAME].strip()
        if plain:
            return words.model_name(plain)
    return words.model_name("LoRA")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
