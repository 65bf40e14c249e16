"""Owns the Trainer over any box: a machine for each training, found by its name, destroyed after it whatever happens.

What a job is and how far it is, its lease knows; whether its machine still is, the box knows. Both are asked, since
either may be silent: an agent whose machine died, a machine whose agent never came.
"""

import asyncio
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from providers.base import (
    Estimate,
    Health,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
    TrainedLora,
    TrainerCapabilities,
    TrainingOrder,
)
from providers.errors import ArtifactBroken, NotFound, Refused
from providers.gpu.agent.engines.lora_file import NoLora, make_public
from providers.gpu.box import NAME_PREFIX, Box, BoxOrder, BoxState, BoxStatus, OwnedBox
from providers.gpu.engines import EngineOffer
from providers.gpu.leases import LeaseReport, Leases, LeaseState
from providers.gpu.packing import SCRIPT, packed_agent
from providers.gpu.samples import kept_samples
from providers.recipe import BaseModelName, Recipe
from providers.weights import inspect_weights
from providers.wording import Sentence, Wording, either, in_a_row

#: Seconds of silence after which the machine is looked at; an agent reports every five.
FRESH_SECONDS = 60.0
#: Seconds of silence after which a job is lost whose machine is gone.
LOST_SECONDS = 90.0
#: Seconds of silence after which a machine that runs on is given up; an agent tries to reach us every half minute.
SILENT_SECONDS = 20 * 60.0
#: Seconds that an agent gets to stop by itself.
STOP_SECONDS = 60.0
#: Seconds that an agent waits for us before it begins; an idle GPU costs as much as a busy one.
CLAIM_SECONDS = 15 * 60.0
#: How long a machine may live, whatever happens.
MAX_SECONDS = 6 * 3600.0

_MARKER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,60}")
_FAILED_THERE = Sentence("The training failed there.")


class GpuTrainer:
    """Trains on a machine that is created for each training.

    Args:
        box: Where machines come from; the trainer bears its name.
        engine: What runs on them.
        leases: How their agents are spoken to.
        max_seconds: How long a machine may live.
    """

    def __init__(self, box: Box, engine: EngineOffer, leases: Leases, *, max_seconds: float = MAX_SECONDS) -> None:
        self._box = box
        self._engine = engine
        self._leases = leases
        self._max_seconds = max_seconds

    @property
    def name(self) -> str:
        """Return the name of its box."""
        return self._box.name

    @property
    def title(self) -> str:
        """Return the name for people."""
        return self._box.title

    @property
    def capabilities(self) -> TrainerCapabilities:
        """Return what its engine can do, at the pace of its box."""
        terms, engine = self._box.terms, self._engine
        return TrainerCapabilities(
            findable=True,
            settle_seconds=terms.settle_seconds,
            cancelable=True,
            poll_seconds=terms.poll_seconds,
            max_run_seconds=self._max_seconds,
            notice=terms.notice,
            bills_until_cleaned=True,
            base_models=engine.base_models,
            produces=engine.produces,
            photos=engine.photos,
            steps=engine.steps,
            rank=engine.rank,
            learning_rate=engine.learning_rate,
            resolutions=engine.resolutions,
            caption_dropout=engine.caption_dropout,
            autocaption=False,
        )

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        """Return the engine's time on the box's machines."""
        low, high = self._engine.seconds(recipe)
        price = self._box.price()
        return Estimate(
            low_usd=round(low / 3600 * price.low_usd, 2),
            high_usd=round(high / 3600 * price.high_usd, 2),
            minutes=(low + high) / 2 / 60,
            basis=in_a_row([price.basis, self._engine.paces[recipe.base_model].basis]),
        )

    async def check(self) -> Health:
        """Ask the box, once a machine could reach us at all."""
        if self._leases.obstacle is not None:
            return Health(ok=False, wording=self._leases.obstacle)
        return await self._box.check()

    async def prepare(self, order: TrainingOrder) -> Prepared:
        """Open the job's lease; nothing is uploaded, since the machine fetches its photos itself."""
        self._refuse_unfit(order)
        await self._leases.open(order.marker, self._engine.spec(order), order.archive)
        return {
            "marker": order.marker,
            "base_model": order.recipe.base_model.value,
            "sample_prompt": self._engine.sample_prompt(order.recipe),
        }

    async def submit(self, order: TrainingOrder, prepared: Prepared) -> str:
        """Create the machine, with a token that only it has."""
        await self._leases.open(order.marker, self._engine.spec(order), order.archive)
        ticket = await self._leases.issue(order.marker)
        agent = await asyncio.to_thread(packed_agent)
        env = {
            **ticket.env,
            "DARKROOM_AGENT_SHA256": agent.sha256,
            "DARKROOM_END": self._box.terms.ending.value,
            "DARKROOM_MAX_SECONDS": f"{self._max_seconds:g}",
            "DARKROOM_CLAIM_SECONDS": f"{CLAIM_SECONDS:g}",
        }
        if ticket.agent_url is not None:
            env["DARKROOM_AGENT_URL"] = ticket.agent_url
        return await self._box.create(
            BoxOrder(name=box_name(order.marker), env=env, script=SCRIPT, max_seconds=self._max_seconds)
        )

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look for the machine by its name, and for what claimed the job, which may be known sooner."""
        if not _MARKER.fullmatch(marker):
            return None
        found = await self._box.find(box_name(marker))
        if found is None and (report := await self._leases.report(marker)) is not None:
            found = report.box_id
        return found

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Hear what the lease says, and look at the machine where that leaves a doubt."""
        report = await self._issued(prepared)
        match report.state:
            case LeaseState.DONE:
                return self._seen(report, RemoteState.SUCCEEDED)
            case LeaseState.FAILED:
                return self._seen(report, RemoteState.FAILED, failure=report.failure or _FAILED_THERE)
            case LeaseState.STOPPED:
                return self._seen(report, RemoteState.CANCELED)
        held = report.state is LeaseState.HELD
        fresh = held and (report.since_heard or 0.0) < FRESH_SECONDS
        if fresh and report.since_stop is None and report.usd_an_hour is not None:
            return self._seen(report, RemoteState.RUNNING)
        status = await self._box.status(remote_id)
        if status.usd_an_hour and report.usd_an_hour is None:
            await self._leases.note_price(prepared["marker"], status.usd_an_hour)
        if status.state is None:
            return Snapshot(state=None, raw_state=status.raw_state)
        return self._as_held(report, status) if held else self._as_open(report, status)

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Have the agent told; a machine that has none, or whose agent doesn't listen, is destroyed."""
        marker = prepared["marker"]
        await self._leases.stop(marker)
        report = await self._leases.report(marker)
        if report is None or report.state.over:
            return
        if report.state is LeaseState.OPEN or (report.since_stop or 0.0) > STOP_SECONDS:
            await self._box.destroy(remote_id)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> TrainedLora:
        """Take what was delivered, look whether it is a LoRA, and leave out what its engine wrote about the photos."""
        await self._issued(prepared)
        scratch = into / "delivered"
        await asyncio.to_thread(_emptied, scratch)
        try:
            arrival = await self._leases.fetch(prepared["marker"], scratch)
            weights = await asyncio.to_thread(inspect_weights, arrival.lora)
            await asyncio.to_thread(_made_public, arrival.lora)
            path = await asyncio.to_thread(arrival.lora.replace, into / "lora.safetensors")
            # An operator's own options may draw as well; nobody knows from what.
            drawn = arrival.samples if prepared.get("sample_prompt") else ()
            samples = await asyncio.to_thread(kept_samples, prepared["marker"], drawn, into)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        return TrainedLora(
            path=path,
            format=weights.format or self._engine.produces,
            base_model=BaseModelName(prepared["base_model"]),
            facts={"engine": self._engine.name, "tensors": weights.tensors, **arrival.facts},
            samples=samples,
            sample_prompt=prepared["sample_prompt"] if samples else "",
        )

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Forget the lease, so that whoever holds it ends by itself, and destroy every machine of the job's name."""
        marker = prepared["marker"]
        await self._leases.close(marker)
        if remote_id is not None:
            await self._box.destroy(remote_id)
        for twin in await self._box.list_owned():
            if twin.name == box_name(marker):
                await self._box.destroy(twin.id)

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return every machine that carries our name and is not at work.

        Of two machines for one job either may have claimed it, also the one that the job's row does not name.
        """
        owned = await self._box.list_owned()
        return [box for box in owned if not await self._is_at_work(box)]

    async def destroy(self, box_id: str) -> None:
        """Remove a machine that no job owns."""
        await self._box.destroy(box_id)

    async def _is_at_work(self, box: OwnedBox) -> bool:
        report = await self._leases.report(box.name)
        # A machine that can't say which one it is may be this one; the other ends itself anyway.
        return report is not None and report.state is LeaseState.HELD and report.box_id in {None, box.id}

    async def _issued(self, prepared: Prepared) -> LeaseReport:
        report = await self._leases.report(prepared["marker"])
        if report is None or report.since_issued is None:
            raise NotFound("Nothing is known of this training any more.")
        return report

    def _as_open(self, report: LeaseReport, status: BoxStatus) -> Snapshot:
        """Judge a machine whose agent has not been heard of."""
        waited, terms, named = report.since_issued or 0.0, self._box.terms, {"provider": self.title}
        if status.state in {BoxState.GONE, BoxState.ENDED}:
            if report.since_stop is not None:
                return self._seen(report, RemoteState.CANCELED, status)
            if status.state is BoxState.GONE:
                # News may be slow there; whoever asks for the state looks more than once.
                raise NotFound("{provider} doesn't know this machine (any more).", values=named)
            told = status.failure or Sentence(
                "The machine at {provider} ended before its training began.", values=named
            )
            return self._seen(report, RemoteState.FAILED, status, failure=told)
        if waited > terms.start_seconds:
            told = Sentence(
                "The machine at {provider} didn't begin within {minutes} minutes and was given back.",
                values={**named, "minutes": f"{terms.start_seconds / 60:.0f}"},
            )
            return self._seen(report, RemoteState.FAILED, status, failure=told)
        phase = "waiting for a machine" if status.state is BoxState.STARTING else "the machine is starting"
        return self._seen(report, RemoteState.QUEUED, status, progress=Progress(phase=phase))

    def _as_held(self, report: LeaseReport, status: BoxStatus) -> Snapshot:
        """Judge a machine whose agent has begun."""
        silence, named = report.since_heard or 0.0, {"provider": self.title}
        if status.state in {BoxState.GONE, BoxState.ENDED}:
            if report.since_stop is not None:
                return self._seen(report, RemoteState.CANCELED, status)
            if silence > LOST_SECONDS:
                told = status.failure or Sentence(
                    "The machine at {provider} ended in the middle of its work.", values=named
                )
                return self._seen(report, RemoteState.LOST, status, failure=told)
        elif silence > SILENT_SECONDS:
            told = Sentence(
                "Nothing was heard of the machine at {provider} for {minutes} minutes.",
                values={**named, "minutes": f"{SILENT_SECONDS / 60:.0f}"},
            )
            return self._seen(report, RemoteState.FAILED, status, failure=told)
        return self._seen(report, RemoteState.RUNNING, status)

    def _seen(
        self,
        report: LeaseReport,
        state: RemoteState,
        status: BoxStatus | None = None,
        *,
        failure: Wording | None = None,
        progress: Progress | None = None,
    ) -> Snapshot:
        return Snapshot(
            state=state,
            raw_state=f"{report.state} {status.raw_state if status else ''}".strip(),
            progress=progress or report.progress,
            failure=failure,
            cost_usd=self._cost(report, status),
        )

    def _cost(self, report: LeaseReport, status: BoxStatus | None) -> float:
        if status is not None and status.usd is not None:
            return status.usd
        an_hour = (status.usd_an_hour if status else None) or report.usd_an_hour or self._box.price().high_usd
        gone = status is not None and status.state is BoxState.GONE
        # Of a machine that is gone, only the time is known until which it was heard.
        used = report.used_seconds - ((report.since_heard or 0.0) if gone else 0.0)
        return round(max(used, 0.0) / 3600 * an_hour, 4)

    def _refuse_unfit(self, order: TrainingOrder) -> None:
        can, recipe, named = self.capabilities, order.recipe, {"provider": self.title}
        if recipe.base_model not in can.base_models:
            raise Refused(
                "{provider} can't train for {base_model} here.", values={**named, "base_model": recipe.base_model.label}
            )
        if order.photo_count not in can.photos:
            raise Refused("{provider} takes {low} to {high} photos here.", values={**named, **can.photos.ends})
        for what, limit, value in (
            (Sentence("steps"), can.steps, recipe.steps),
            (Sentence("rank"), can.rank, recipe.rank),
            (Sentence("learning rate"), can.learning_rate, recipe.learning_rate),
            (Sentence("caption dropout"), can.caption_dropout, recipe.caption_dropout),
        ):
            if limit is not None and value is not None and value not in limit:
                raise Refused(
                    "The {what} must be {low} to {high} here, not {value}.",
                    values={"what": what, **limit.ends, "value": f"{value:g}"},
                )
        if recipe.resolution not in can.resolutions:
            raise Refused("The resolution must be {resolutions} here.", values={"resolutions": either(can.resolutions)})
        if not _MARKER.fullmatch(order.marker):
            raise Refused("The job's marker can't name a machine.")


def box_name(marker: str) -> str:
    """Return the name of a job's machine, by which whoever looks for what is ours knows it."""
    return marker if marker.startswith(NAME_PREFIX) else NAME_PREFIX + marker


def _made_public(path: Path) -> None:
    """Leave out what an engine wrote about the photos; its agent has done so, but that is no reason to trust it."""
    try:
        make_public(path)
    except NoLora as error:
        raise ArtifactBroken(
            "The LoRA that the machine made can't be used: {why}.", values={"why": Sentence(str(error))}
        ) from error


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
