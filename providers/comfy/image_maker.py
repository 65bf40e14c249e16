"""Owns the ImageMaker on a ComfyUI of the operator's own; never trusts a picture from there.

The id of a job is chosen here, from its marker, and ComfyUI keeps it: so `find` knows whether an order arrived. ComfyUI
knows a job as long as it runs; one that it has forgotten over a restart is not found, and nothing was paid for it.
"""

import asyncio
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import aiohttp
from PIL import Image

from providers.base import (
    Aspect,
    Estimate,
    Health,
    ImageCapabilities,
    ImageOrder,
    LoraFile,
    LoraFormat,
    MadeImage,
    MadeImages,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
)
from providers.comfy.api import ComfyApi, ComfySettings, Ended, Node, ShownFile, is_prompt_id
from providers.comfy.bases import BaseFiles
from providers.comfy.graph import HEED_NEGATIVE, picture_graph
from providers.comfy.shelf import Shelf
from providers.disk import is_marker
from providers.errors import ArtifactBroken, NotFound, ProviderError, Refused, Unavailable
from providers.http import fit_for_people
from providers.image_files import inspect_image
from providers.picture_orders import all_loras, private_words, refuse_unfit
from providers.recipe import BaseModelName, Limits
from providers.wording import Sentence, in_turn

P = ParamSpec("P")
R = TypeVar("R")

#: What our ids are made in; any fixed UUID would do.
_OURS = uuid.UUID("7f0c2a52-5d1e-4c1b-9d0e-2f6b7a9d1c44")
_ACCEPTS = frozenset({LoraFormat.KOHYA, LoraFormat.DIFFUSERS})
_NEEDS_FOLDER = "The operator of this bot has to set DARKROOM_COMFY_LORAS to the models/loras folder of ComfyUI."
#: Where ComfyUI looks for the files of its loaders.
_FOLDERS = {
    "CheckpointLoaderSimple": "models/checkpoints",
    "UNETLoader": "models/diffusion_models",
    "DualCLIPLoader": "models/text_encoders",
    "CLIPLoader": "models/text_encoders",
    "VAELoader": "models/vae",
}
#: Looks, and seconds between them, for a stopped job to let go of the GPU before its traces are removed.
_LAST_LOOKS, _LAST_PAUSE = 20, 0.25


class ComfyImageMaker:
    """Makes pictures with ComfyUI.

    Args:
        settings: Where ComfyUI is.
        session: What it is spoken to with; owned by the caller.
        shelf: Its LoRA folder; None when none is set, and then no job can be done.
        files: Its files of each base model.
    """

    def __init__(
        self,
        settings: ComfySettings,
        session: aiohttp.ClientSession,
        *,
        shelf: Shelf | None,
        files: Mapping[BaseModelName, BaseFiles],
    ) -> None:
        self._api = ComfyApi(settings, session)
        self._shelf = shelf
        self._files = files
        #: The base models whose files ComfyUI had at the last check; all that are set before it.
        self._complete = frozenset(files)

    @property
    def name(self) -> str:
        """Return the short name."""
        return "comfy"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "ComfyUI"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do: nothing without its LoRA folder; after `check`, only what it has the files for."""
        return ImageCapabilities(
            findable=True,
            settle_seconds=0,
            cancelable=True,
            poll_seconds=2,
            max_run_seconds=3600,
            base_models=self._complete if self._shelf is not None else frozenset(),
            accepts=_ACCEPTS,
            aspects=frozenset(Aspect),
            count=Limits(low=1, high=4, default=1),
            strength=Limits(low=0.0, high=2.0, default=1.0),
            uses_prompt=True,
            negative_prompts=HEED_NEGATIVE,
            max_loras=4,
        )

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures take; they are free."""
        basis = Sentence("runs on the operator's own GPU: free; the minutes are a guess")
        return Estimate(low_usd=0, high_usd=0, minutes=0.5 + 0.5 * count, basis=basis)

    async def check(self) -> Health:
        """Ask for the version, for the files of each base model, and whether our folder is the one it looks into."""
        if self._shelf is None:
            return Health(ok=False, wording=_NEEDS_FOLDER)
        try:
            version = await self._api.version()
            nodes: dict[str, Node | None] = {}
            lacking = {base: await self._lacking(files, nodes) for base, files in self._files.items()}
            sees = await self._sees(self._shelf)
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        self._complete = frozenset(base for base, missing in lacking.items() if not missing)
        if not sees:
            elsewhere = Sentence(
                "ComfyUI {version} doesn't look into DARKROOM_COMFY_LORAS.", values={"version": version}
            )
            return Health(ok=False, wording=in_turn([elsewhere, _NEEDS_FOLDER]))
        answers = Sentence("ComfyUI {version} answers.", values={"version": version})
        gaps = [
            Sentence(
                "For {base_model} it lacks {files}.", values={"base_model": base.label, "files": ", ".join(missing)}
            )
            for base, missing in lacking.items()
            if missing
        ]
        return Health(ok=bool(self._complete), wording=in_turn([answers, *gaps]))

    async def prepare(self, order: ImageOrder) -> Prepared:
        """Put the LoRAs where ComfyUI finds them, and see that it does."""
        shelf = self._refuse_unfit(order)
        names = list(await _on_disk(shelf.put, order.marker, [one.lora.path for one in all_loras(order)]))
        prompt_id = str(uuid.uuid5(_OURS, order.marker))
        if not set(names) <= set(await self._api.loras()):
            await _on_disk(shelf.remove, names)
            raise Refused("ComfyUI doesn't see the LoRA that was put into its folder.", advice=_NEEDS_FOLDER)
        shown = self._graph(order, names).shown
        return {"marker": order.marker, "id": prompt_id, "loras": names, "shown": shown, "seed": order.seed}

    async def submit(self, order: ImageOrder, prepared: Prepared) -> str:
        """Queue the graph."""
        self._refuse_unfit(order)
        graph = self._graph(order, prepared["loras"])
        return await self._api.submit(graph.nodes, prepared["id"], hide=private_words(order))

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look for the job's id; no other order can have it."""
        if marker != prepared.get("marker"):
            return None
        prompt_id = str(prepared["id"])
        # In this order: a job leaves the queue for the history and never goes back.
        if await self._api.place(prompt_id) is not None or await self._api.ended(prompt_id) is not None:
            return prompt_id
        return None

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Look into the queue, then into the history."""
        snapshot, _ = await self._look(remote_id)
        return snapshot

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Take it out of the queue, or stop it while it runs."""
        if is_prompt_id(remote_id) and self._shelf is not None:
            await _on_disk(self._shelf.note_stopped, remote_id)
            await self._api.stop(remote_id)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        """Fetch the pictures, without what ComfyUI writes into them."""
        snapshot, ended = await self._look(remote_id)
        if snapshot.state is not RemoteState.SUCCEEDED or ended is None:
            raise Refused("This job has no result to collect.", advice="Wait until it is done.")
        files = [_only_file(ended, node) for node in prepared["shown"]]
        return MadeImages(
            images=[await self._picture(file, into, n, int(prepared["seed"]) + n) for n, file in enumerate(files)]
        )

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Stop it where it still runs; remove the LoRAs, the prompt in the history, and our note."""
        if self._shelf is None:
            return
        prompt_id = remote_id or str(prepared.get("id", ""))
        await _on_disk(self._shelf.remove, prepared.get("loras", ()))
        if is_prompt_id(prompt_id):
            await self._ended_for_good(prompt_id)
            await self._api.forget(prompt_id)
            await _on_disk(self._shelf.forget, prompt_id)

    def _refuse_unfit(self, order: ImageOrder) -> Shelf:
        if self._shelf is None:
            raise Refused("ComfyUI can't be given LoRAs.", advice=_NEEDS_FOLDER)
        refuse_unfit(order, self.capabilities, title=self.title)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name a file.")
        return self._shelf

    def _graph(self, order: ImageOrder, names: Sequence[str]) -> Any:
        return picture_graph(order, self._files[order.lora.base_model], names)

    async def _look(self, remote_id: str) -> tuple[Snapshot, Ended | None]:
        if not is_prompt_id(remote_id):
            raise NotFound("{provider} doesn't know this job.", values={"provider": "ComfyUI"})
        place = await self._api.place(remote_id)
        if place is not None and place.running:
            return Snapshot(state=RemoteState.RUNNING, raw_state="running", progress=Progress(phase="at work")), None
        if place is not None:
            waiting = Progress(phase="waiting", ahead=place.ahead)
            return Snapshot(state=RemoteState.QUEUED, raw_state="pending", progress=waiting), None
        ended = await self._api.ended(remote_id)
        if ended is not None:
            return _outcome(ended), ended
        if self._shelf is not None and await _on_disk(self._shelf.was_stopped, remote_id):
            return Snapshot(state=RemoteState.CANCELED, raw_state="taken out of the queue"), None
        raise NotFound("ComfyUI doesn't know this job (any more); it forgets all jobs when it is restarted.")

    async def _picture(self, file: ShownFile, into: Path, number: int, seed: int) -> MadeImage:
        raw = into / f".{number}.raw"
        try:
            await self._api.fetch(file, raw)
            path = into / f"{number}.png"
            width, height = await asyncio.to_thread(_without_notes, raw, path)
        finally:
            await asyncio.to_thread(raw.unlink, missing_ok=True)
        return MadeImage(path=path, seed=seed, width=width, height=height)

    async def _lacking(self, files: BaseFiles, nodes: dict[str, Node | None]) -> Sequence[str]:
        """Return what ComfyUI lacks of a base model, in the words of an operator; `nodes` are those seen so far."""
        missing: list[str] = []
        for used in picture_graph(_sample_order(files.base_model), files, [""]).nodes.values():
            kind = used["class_type"]
            if kind not in nodes:
                nodes[kind] = await self._api.node(kind)
            node = nodes[kind]
            if node is None:
                missing.append(f"the node {kind}")
                continue
            offered = {name: node.choices(name) for name in used["inputs"] if name != "lora_name"}
            lost = [
                used["inputs"][name] for name, o in offered.items() if o is not None and used["inputs"][name] not in o
            ]
            missing += [f"{value} in {_FOLDERS[kind]}" if kind in _FOLDERS else f"{value} of {kind}" for value in lost]
        return list(dict.fromkeys(missing))

    async def _sees(self, shelf: Shelf) -> bool:
        name = await _on_disk(shelf.put_probe)
        try:
            return name in await self._api.loras()
        finally:
            await _on_disk(shelf.remove, [name])

    async def _ended_for_good(self, prompt_id: str) -> None:
        if await self._api.place(prompt_id) is None:
            return
        await self._api.stop(prompt_id)
        # It is stopped between two steps; its entry in the history comes after that.
        for _ in range(_LAST_LOOKS):
            if await self._api.place(prompt_id) is None:
                return
            await asyncio.sleep(_LAST_PAUSE)
        raise Unavailable("ComfyUI hasn't stopped this job yet.")


def _outcome(ended: Ended) -> Snapshot:
    status = ended.status
    word = fit_for_people(status.status_str) if status else "without a status"
    if status is not None and status.status_str == "success" and status.completed:
        return Snapshot(state=RemoteState.SUCCEEDED, raw_state=word)
    if ended.told("execution_interrupted") is not None:
        return Snapshot(state=RemoteState.CANCELED, raw_state="interrupted")
    if status is None or status.status_str != "error":
        return Snapshot(state=None, raw_state=word)
    return Snapshot(state=RemoteState.FAILED, raw_state=word, failure=_failure(ended.told("execution_error") or {}))


def _failure(told: Mapping[str, Any]) -> Sentence:
    """Return why it failed; not in ComfyUI's own words, which name the operator's folders."""
    kind, node = str(told.get("exception_type", "")), fit_for_people(str(told.get("node_type", "")))
    if "OutOfMemory" in kind or "out of memory" in str(told.get("exception_message", "")).lower():
        return Sentence("ComfyUI's GPU ran out of memory.")
    if node:
        return Sentence("ComfyUI failed in its node {node}; its log says why.", values={"node": node})
    return Sentence("ComfyUI failed; its log says why.")


def _only_file(ended: Ended, node: str) -> ShownFile:
    output = ended.outputs.get(node)
    if output is None or not output.images:
        raise ArtifactBroken("ComfyUI's result lacks a picture.", advice="Order it again.")
    return output.images[0]


def _without_notes(raw: Path, path: Path) -> tuple[int, int]:
    """Write a picture anew: ComfyUI puts the whole graph into its PNGs, prompts included; blocks."""
    found = inspect_image(raw)
    with Image.open(raw) as image:
        Image.frombytes("RGB", image.size, image.convert("RGB").tobytes()).save(path, "PNG", compress_level=4)
    return found.width, found.height


def _sample_order(base_model: BaseModelName) -> ImageOrder:
    lora = LoraFile(path=Path(), base_model=base_model, format=LoraFormat.KOHYA, trigger_word="")
    return ImageOrder(marker="", lora=lora, prompt="", count=1, seed=0, aspect=Aspect.SQUARE, strength=1.0)


async def _on_disk(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        advice = "The operator of this bot has to look at DARKROOM_COMFY_LORAS and the data folder."
        raise Unavailable(
            "The folder of ComfyUI's LoRAs can't be used ({reason}).", values={"reason": reason}, advice=advice
        ) from error
