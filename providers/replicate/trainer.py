"""Owns the Trainer that has LoRAs trained at Replicate; never trusts an archive from there."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from providers.artifacts import MIB, Artifacts, Caps
from providers.base import (
    Estimate,
    FileLinks,
    Prepared,
    Progress,
    TrainedLora,
    TrainerCapabilities,
    TrainingOrder,
)
from providers.errors import ArtifactBroken, ProviderError, Refused
from providers.prices import PriceList, Unit
from providers.progress import bars, training_progress
from providers.recipe import Limits, Recipe
from providers.replicate.adapter import ReplicateAdapter, refuse_marker
from providers.replicate.answers import Account, Model, RemoteFile, RemoteJob
from providers.replicate.schema import InputSchema
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainers import images_input, known_trainer, training_inputs
from providers.unpacking import UnpackCaps, unpack
from providers.weights import Weights, inspect_weights
from providers.wording import Sentence, Value, Wording, either, in_a_row

#: What Replicate's files API takes; a larger archive needs a link of ours.
LARGEST_UPLOAD = 100_000_000
#: An upload that expires sooner than this is not begun with: the trainer may wait for its GPU.
LEAST_LIFE = timedelta(minutes=20)
LEAST_LIFE_AT_SUBMIT = timedelta(minutes=5)

_WEIGHTS = Caps(bytes=2048 * MIB, seconds=1800)
_UNPACKED = UnpackCaps(entries=2000, entry_bytes=2048 * MIB, total_bytes=3072 * MIB)
#: tqdm's label of the training itself in ai-toolkit under Replicate's trainer; other bars count other things.
_LABELS = frozenset({"flux_train_replicate"})
#: Owner, model and number of a version.
_VERSION = re.compile(r"[\w.-]+/[\w.-]+:\w{8,80}")


class ReplicateTrainer(ReplicateAdapter[TrainingOrder]):
    """Trains LoRAs with the trainer that is set; all trained versions go to one private model of the account."""

    kind = "trainings"

    def __init__(
        self,
        settings: ReplicateSettings,
        *,
        links: FileLinks | None = None,
        artifacts: Artifacts | None = None,
        prices: PriceList | None = None,
        call_seconds: float = 60.0,
    ) -> None:
        super().__init__(settings, links=links, artifacts=artifacts, prices=prices, call_seconds=call_seconds)
        self._known = known_trainer(settings)
        self._hardware = settings.training_hardware or self._known.hardware
        price = self._prices.find(f"replicate/{self._hardware}", Unit.SECOND)
        if price is None:
            raise ValueError(f"the price of replicate/{self._hardware} is not known: override it")
        self._price = price

    @property
    def capabilities(self) -> TrainerCapabilities:
        """Return what it can do."""
        known = self._known
        return TrainerCapabilities(
            findable=True,
            settle_seconds=90,
            cancelable=True,
            poll_seconds=10,
            max_run_seconds=4 * 3600,
            notice="Photos go to Replicate for the training; the trained model stays private in the bot's account.",
            base_models=frozenset({known.base_model}),
            produces=known.produces,
            photos=Limits(low=2, high=100, default=12),
            steps=known.steps,
            rank=known.rank,
            learning_rate=known.learning_rate,
            resolutions=known.resolutions,
            autocaption=known.autocaption,
            caption_dropout=known.caption_dropout,
        )

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        """Return what the trainer's GPU costs for the time that such trainings were reported to take."""
        low, high = self._known.seconds.of(recipe.steps)
        priced: Mapping[str, Value] = {"hardware": self._hardware, "price": self._price.basis}
        return Estimate(
            low_usd=round(low * self._price.usd, 2),
            high_usd=round(high * self._price.usd, 2),
            minutes=(low + high) / 2 / 60,
            basis=in_a_row([Sentence("{hardware} at {price}", values=priced), self._known.basis]),
        )

    async def prepare(self, order: TrainingOrder) -> Prepared:
        """Pin the trainer's version, check every input against it, make the destination, upload the archive."""
        self._refuse_unfit(order)
        size = await _size(order.archive)
        version = await self._version(self._settings.trainer, self._settings.trainer_version)
        schema = InputSchema(version, "TrainingInput")
        inputs, images = training_inputs(order.recipe, schema, self._settings), images_input(schema)
        schema.check(inputs | {images: "https://example.com/archive.zip"})
        destination = await self._destination()
        prepared: dict[str, Any] = {
            "marker": order.marker,
            "path": f"/v1/models/{self._settings.trainer}/versions/{version.id}/trainings",
            "version": version.id,
            "destination": destination,
            "images": images,
        }
        url = self._links.link(order.archive, name=f"{order.marker}.zip") if self._links else None
        if url is None:
            file = await self._uploaded(order, size)
            url = file.urls.get
            prepared |= {"file_id": file.id, "expires_at": file.expires_at.isoformat()}
        return prepared | {"input": inputs | {images: url}}

    async def submit(self, order: TrainingOrder, prepared: Prepared) -> str:
        """Start the training, unless its archive is about to expire."""
        expires = prepared.get("expires_at")
        if expires and datetime.fromisoformat(expires) - datetime.now(UTC) < LEAST_LIFE_AT_SUBMIT:
            raise Refused("The photos that were uploaded to Replicate have expired.", advice="Start it again.")
        return await super().submit(order, prepared)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> TrainedLora:
        """Fetch the weights and keep the LoRA alone: captions are private."""
        job = await self._succeeded(remote_id)
        output = job.output if isinstance(job.output, Mapping) else {}
        url = output.get("weights")
        if not isinstance(url, str):
            raise ArtifactBroken("Replicate says that the training succeeded, but not where its LoRA is.")
        scratch = into / "unpacked"
        await asyncio.to_thread(_emptied, scratch)
        try:
            delivered = await self._artifacts.fetch(url, scratch / "delivered", _WEIGHTS)
            path = into / "lora.safetensors"
            weights = await asyncio.to_thread(_lora_alone, delivered.path, scratch, path)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return TrainedLora(
            path=path,
            format=weights.format or self._known.produces,
            base_model=self._known.base_model,
            facts=self._facts(job, output, weights),
        )

    async def _able(self) -> Wording:
        version = await self._version(self._settings.trainer, self._settings.trainer_version)
        images_input(InputSchema(version, "TrainingInput"))
        values = {"trainer": self._settings.trainer, "version": version.id[:8]}
        return Sentence("It trains with {trainer} (version {version}).", values=values)

    def _refuse_unfit(self, order: TrainingOrder) -> None:
        can, recipe = self.capabilities, order.recipe
        if recipe.base_model not in can.base_models:
            raise Refused(
                "{trainer} at Replicate can't train for {base_model}.",
                values={"trainer": self._settings.trainer, "base_model": recipe.base_model.label},
            )
        if order.photo_count not in can.photos:
            raise Refused(
                "{provider} takes {low} to {high} photos.", values={"provider": "Replicate", **can.photos.ends}
            )
        for what, limit, value in (
            (Sentence("steps"), can.steps, recipe.steps),
            (Sentence("rank"), can.rank, recipe.rank),
            (Sentence("learning rate"), can.learning_rate, recipe.learning_rate),
        ):
            if limit is not None and value not in limit:
                raise Refused(
                    "The {what} at Replicate must be {low} to {high}, not {value}.",
                    values={"what": what, **limit.ends, "value": f"{value:g}"},
                )
        if recipe.resolution not in can.resolutions:
            raise Refused(
                "This trainer takes a resolution of {resolutions}.", values={"resolutions": either(can.resolutions)}
            )
        refuse_marker(order.marker)

    def _trigger_words(self, order: TrainingOrder) -> Sequence[str]:
        return [order.recipe.trigger_word]

    async def _destination(self) -> str:
        """Return the private model that takes the result, made when it isn't there."""
        name = self._settings.destination
        if "/" not in name:
            account = await self._api.get("/v1/account", Account)
            name = f"{account.username}/{name}"
        model = await self._api.find(f"/v1/models/{name}", Model)
        if model is None:
            owner, _, short = name.partition("/")
            hardware = self._settings.destination_hardware
            wanted = {"owner": owner, "name": short, "visibility": "private", "hardware": hardware}
            try:
                model = self._api.parsed(Model, await self._api.post("/v1/models", wanted))
            except Refused:
                # Another job may have made it a moment ago.
                model = await self._api.find(f"/v1/models/{name}", Model)
                if model is None:
                    raise
        if model.visibility == "public":
            advice = "The operator of this bot has to make it private, or set another destination."
            raise Refused("The model that would take the result is public at Replicate.", advice=advice)
        return name

    async def _uploaded(self, order: TrainingOrder, size: int) -> RemoteFile:
        """Upload the archive, or find that of an earlier try; its URL is what `find` knows the job by."""
        if size >= LARGEST_UPLOAD:
            advice = "Take some photos out, or have the operator set PUBLIC_URL: then there is no such limit."
            raise Refused("Replicate takes archives of up to 100 MB.", advice=advice)
        digest = await asyncio.to_thread(_sha256, order.archive)
        async for entry in self._api.entries("/v1/files"):
            try:
                file = self._api.parsed(RemoteFile, entry)
            except ProviderError:
                continue
            same = file.metadata.get("darkroom_job") == order.marker and file.checksums.get("sha256") == digest
            if same and _lives(file):
                return file
        file = await self._api.upload(
            order.archive, name=f"{order.marker}.zip", metadata={"darkroom_job": order.marker}
        )
        if not _lives(file):
            await self._api.delete(f"/v1/files/{file.id}")
            raise Refused("Replicate keeps uploads for too short a time to train from them.")
        return file

    def _destination_of(self, prepared: Prepared) -> dict[str, Any]:
        return {"destination": prepared["destination"]}

    def _is_ours(self, job: RemoteJob, prepared: Prepared) -> bool:
        images = prepared["images"]
        return bool(job.input.get(images) == prepared["input"][images])

    def _progress(self, job: RemoteJob, prepared: Prepared) -> Progress:
        steps = next((prepared["input"][name] for name in ("steps", "training_steps") if name in prepared["input"]), 0)
        labels = _LABELS if self._settings.trainer.startswith("ostris/") else frozenset()
        seen = training_progress(job.logs or "", total=int(steps), labels=labels)
        return seen or Progress(phase="getting ready")

    def _cost(self, job: RemoteJob, prepared: Prepared) -> float | None:
        return self._by_the_second(self._hardware, job.metrics.predict_time if job.metrics else None)

    def _facts(self, job: RemoteJob, output: Mapping[str, Any], weights: Weights) -> dict[str, Any]:
        loss = next((bar.loss for bar in bars(job.logs or "") if bar.loss is not None), None)
        facts = {
            "replicate_version": output.get("version"),
            "trainer": self._settings.trainer,
            "trainer_version": job.version,
            "seconds": job.metrics.predict_time if job.metrics else None,
            "tensors": weights.tensors,
            "loss": loss,
        }
        return {name: value for name, value in facts.items() if value is not None}

    async def forget_model(self, facts: Mapping[str, Any]) -> None:
        """Delete the version; Replicate takes minutes for it, and keeps one that others ran or a training needs."""
        await self._delete_version(facts.get("replicate_version"))

    async def _forget(self, job: RemoteJob) -> None:
        if not self._settings.keep_versions and isinstance(job.output, Mapping):
            await self._delete_version(job.output.get("version"))

    async def _delete_version(self, version: Any) -> None:
        if isinstance(version, str) and _VERSION.fullmatch(version):
            model, _, number = version.partition(":")
            await self._api.delete(f"/v1/models/{model}/versions/{number}")


async def _size(archive: Path) -> int:
    try:
        return (await asyncio.to_thread(archive.stat)).st_size
    except OSError:
        raise Refused("The photos of this job are missing.", advice="Start it again.") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lives(file: RemoteFile) -> bool:
    expires = file.expires_at if file.expires_at.tzinfo else file.expires_at.replace(tzinfo=UTC)
    return expires - datetime.now(UTC) >= LEAST_LIFE


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _lora_alone(delivered: Path, scratch: Path, to: Path) -> Weights:
    """Move the one LoRA of what was delivered to its place; a bare safetensors file is fine too."""
    with delivered.open("rb") as file:
        bare = file.read(9)[8:] == b"{"
    found = delivered
    if not bare:
        loras = unpack(delivered, scratch, _is_lora, _UNPACKED)
        if len(loras) != 1:
            raise ArtifactBroken("Replicate delivered {count} LoRAs instead of one.", values={"count": len(loras)})
        [found] = loras.values()
    weights = inspect_weights(found)
    found.replace(to)
    return weights


def _is_lora(path: PurePosixPath) -> bool:
    return path.name == "lora.safetensors"
