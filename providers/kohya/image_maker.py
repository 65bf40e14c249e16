"""Owns the ImageMaker that runs kohya's script; never looks into what it prints, beyond what it says of an error."""

import asyncio
import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from providers.base import (
    Aspect,
    Estimate,
    Health,
    ImageCapabilities,
    ImageOrder,
    LoraFormat,
    MadeImage,
    MadeImages,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
)
from providers.disk import is_marker
from providers.errors import ArtifactBroken, NotFound, Refused, Unavailable
from providers.http import fit_for_people
from providers.image_files import inspect_image
from providers.kohya.command import KohyaTools, arguments, lines
from providers.kohya.studio import OrderGone, Studio
from providers.picture_orders import all_loras, refuse_unfit
from providers.recipe import BaseModelName, Limits
from providers.wording import Sentence

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_CAPABILITIES = ImageCapabilities(
    findable=True,
    settle_seconds=0,
    cancelable=True,
    poll_seconds=5,
    max_run_seconds=2 * 3600,
    notice="Each order loads the whole model anew, so that even one picture takes minutes.",
    base_models=frozenset({BaseModelName.FLUX_1_DEV}),
    # The script knows networks.lora_flux alone, and loads it strictly.
    accepts=frozenset({LoraFormat.KOHYA}),
    aspects=frozenset(Aspect),
    count=Limits(low=1, high=4, default=1),
    strength=Limits(low=0.0, high=2.0, default=1.0),
    uses_prompt=True,
    max_loras=4,
    last_resort=True,
)


class KohyaImageMaker:
    """Makes pictures with kohya's script.

    Args:
        tools: Where the script and its files are.
        folder: Where orders are kept until `cleanup`; made when needed.
        gpu: The lock of the GPU, which trainings on this machine take too; one in the folder by default.
    """

    def __init__(self, tools: KohyaTools, folder: Path, *, gpu: Path | None = None) -> None:
        self._tools = tools
        self._studio = Studio(folder, gpu=gpu)
        #: Something was not there at the last check.
        self._lacks = False

    @property
    def name(self) -> str:
        """Return the short name."""
        return "kohya"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "kohya's script"

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do: nothing where the last check missed a file."""
        return replace(_CAPABILITIES, base_models=frozenset()) if self._lacks else _CAPABILITIES

    def estimate(self, count: int) -> Estimate:
        """Return what these pictures take; they are free."""
        basis = Sentence("runs on the operator's own GPU: free; the minutes are a guess")
        return Estimate(low_usd=0, high_usd=0, minutes=3 + 1.0 * count, basis=basis)

    async def check(self) -> Health:
        """Look whether all files are there; the script itself is not started."""
        try:
            await _off_loop(self._studio.open)
            missing = await _off_loop(_missing, self._tools)
        except Unavailable as error:
            return Health(ok=False, wording=error.sentence)
        self._lacks = bool(missing)
        if missing is not None:
            return Health(ok=False, wording=missing)
        return Health(ok=True, wording="The script and its files are there; whether it runs, only a picture shows.")

    async def prepare(self, order: ImageOrder) -> Prepared:
        """Copy the LoRAs, so that the job doesn't depend on the caller's files."""
        self._refuse_unfit(order)
        await _off_loop(self._studio.prepare, order.marker, [one.lora.path for one in all_loras(order)])
        return {"marker": order.marker, "seed": order.seed, "loras": len(all_loras(order))}

    async def submit(self, order: ImageOrder, prepared: Prepared) -> str:
        """Write the order down and start the script where the GPU is free."""
        self._refuse_unfit(order)
        results = self._studio.results(order.marker)
        loras = [results.with_name("loras") / f"{n}.safetensors" for n in range(int(prepared["loras"]))]
        command = arguments(self._tools, order, loras, results)
        try:
            await _off_loop(self._studio.submit, order.marker, command, lines(order), order.count)
        except NotFound as error:
            raise Refused("This job was not prepared or was cleared up already.", advice="Start it again.") from error
        return order.marker

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look for an order; a marker is never used twice here, so its time doesn't matter."""
        return marker if await _off_loop(self._studio.has, marker) else None

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Look at the order; begin it when it waited for the GPU."""
        seen = await _off_loop(self._studio.look, remote_id)
        if seen.failure is not None:
            log.warning("kohya's script failed in %s: %s", remote_id, fit_for_people(seen.last_words))
        return Snapshot(
            state=RemoteState(seen.state),
            raw_state=seen.state,
            progress=Progress(phase=seen.phase, step=seen.step, total=seen.total),
            failure=seen.failure,
        )

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """End the script."""
        await _off_loop(self._studio.cancel, remote_id)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        """Copy the pictures."""
        if (await self.poll(remote_id, prepared)).state is not RemoteState.SUCCEEDED:
            raise Refused("This job has no result to collect.", advice="Wait until it is done.")
        drawn = await _off_loop(self._studio.pictures, remote_id)
        seed = int(prepared["seed"])
        return MadeImages(images=[await _off_loop(_copied, path, into, n, seed + n) for n, path in enumerate(drawn)])

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Remove all files of the order, and end its script."""
        await _off_loop(self._studio.remove, remote_id or str(prepared.get("marker", "")))

    def _refuse_unfit(self, order: ImageOrder) -> None:
        refuse_unfit(order, self.capabilities, title=self.title)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name a folder.")


def _missing(tools: KohyaTools) -> Sentence | None:
    """Return what is not where the operator says that it is, and what to set; None when all is there."""
    if not tools.script.is_file():
        absent = "There is no {script} in DARKROOM_KOHYA_DIR; get it from github.com/kohya-ss/sd-scripts."
        return Sentence(absent, values={"script": tools.script.name})
    if shutil.which(tools.python) is None:
        return Sentence(
            "There is no Python where DARKROOM_KOHYA_PYTHON says; it is the one that sd-scripts is installed in."
        )
    files = ", ".join(path.name or "file" for path in tools.weights if not path.is_file())
    return Sentence("There is no {files} where DARKROOM_KOHYA_FLUX1 says.", values={"files": files}) if files else None


def _copied(source: Path, into: Path, number: int, seed: int) -> MadeImage:
    image = inspect_image(source)
    path = into / f"{number}{image.suffix}"
    shutil.copyfile(source, path)
    return MadeImage(path=path, seed=seed, width=image.width, height=image.height)


async def _off_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Work on files and processes in a thread; their trouble becomes a provider's."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OrderGone as error:
        raise NotFound("kohya's script doesn't have this job (any more).") from error
    except ValueError as error:
        raise ArtifactBroken("The notes about this job are damaged.", advice="Order it again.") from error
    except (OSError, subprocess.SubprocessError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        advice = "The operator of this bot has to look at its data folder."
        raise Unavailable(
            "kohya's script can't be worked with ({reason}).", values={"reason": reason}, advice=advice
        ) from error
