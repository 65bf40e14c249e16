"""Owns one step of one job: what its state calls for, and what each trouble means; never loops, never sleeps."""

import asyncio
import logging
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.budget import Budget
from bot.errors import BotError
from bot.store import jobs as job_rows
from bot.store import losses as loss_rows
from bot.store.jobs import LeaseLostError
from bot.texts import N_
from bot.training.book import Book
from bot.training.circuit import Circuits
from bot.training.craft import Craft, JobAdapter
from bot.training.job import Failure, Job, JobKind, JobState
from bot.training.line import Line, Standing
from bot.training.submitter import Submitter
from providers.base import LossPoint, Progress, RemoteState, Snapshot
from providers.errors import (
    ArtifactBroken,
    BadCredentials,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)

log = logging.getLogger(__name__)

#: Tries after which a step that keeps failing is given up, where giving up loses nothing that was paid.
MOST_TRIES = 12
#: Failed tries to reach a provider after which a job that was left to us goes to another one.
TRIES_BEFORE_ANOTHER = 3
#: Looks in a row that do not find a paid job, after which it is lost.
LOOKS_BEFORE_LOST = 3
#: How many times its longest run a job may be waited for while its provider only fails to answer.
SILENCE_FACTOR = 2
#: Seconds before a step that failed is tried again; doubles up to the longest pause.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
#: Seconds between two looks at the line; whoever leaves it or ends calls it at once.
LINE_SECONDS = 10.0
#: Seconds by which an expected end has to move to be told anew.
LINE_NEWS = 20.0

#: States whose step cannot end well without an answer of the provider's.
_ASKED = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.COLLECTING})

#: Errors that another provider may not have; what a provider refuses for its content is not carried around.
_PROVIDERS_OWN = (BadCredentials, OutOfCredit, Unavailable, RateLimited)

_BUG = Failure(
    reason=N_("Something in this bot went wrong, not in your photos."),
    advice=N_("Tell the operator; the log has the details."),
)
_SILENT = Failure(reason=N_("The provider has not answered for so long that nothing can be expected any more."))
_OUT_OF_REACH = Failure(
    reason=N_("It was stopped here; its provider is no longer set up, so it could not be stopped there.")
)
_DOUBT = Failure(reason=N_("Nobody can tell whether the provider took the order for them."))
_TOO_LONG = N_("It ran for more than {hours} hours and was stopped.")
_ENDINGS: Mapping[RemoteState, tuple[JobState, Failure]] = {
    RemoteState.FAILED: (JobState.FAILED, Failure(reason=N_("The provider gave up without saying why."))),
    RemoteState.CANCELED: (JobState.CANCELED, Failure(reason=N_("It was stopped."))),
    RemoteState.EXPIRED: (JobState.EXPIRED, Failure(reason=N_("The provider ended it because it took too long."))),
    RemoteState.LOST: (JobState.LOST, Failure(reason=N_("The provider no longer knows this job."))),
}


class _StandsInLine(Exception):
    """It is not this training's turn; nothing was written."""


class Stepper:
    """Takes a claimed job one step on and lets it go."""

    def __init__(
        self, *, book: Book, crafts: Mapping[JobKind, Craft], budget: Budget, circuits: Circuits, line: Line
    ) -> None:
        self._line = line
        self._circuits = circuits
        self._book = book
        self._budget = budget
        self._crafts = crafts
        self._submitter = Submitter(book)
        self._unknown_states: set[tuple[str, str]] = set()

    async def take(self, job: Job) -> None:
        """Take one step and commit it.

        Raises:
            LeaseLostError: another process holds the row now; nothing was written.
        """
        craft = self._crafts[job.kind]
        try:
            await self._step(job, craft)
            # A sheet asks our own rows, which says nothing of its provider.
            if job.state in _ASKED and job.kind is not JobKind.SHEET:
                await self._circuits.worked(job.provider)
        except LeaseLostError:
            raise
        except (BotError, ProviderError) as error:
            # While a provider is lost, the circuit has said so once; each job's own failure is no news.
            level = logging.DEBUG if self._circuits.lost(job.provider) else logging.WARNING
            log.log(level, "job %s at %s, %s: %s: %s", job.id, job.provider, job.state, type(error).__name__, error)
            if isinstance(error, Unavailable | UnexpectedAnswer):
                await self._circuits.failed(job.provider, str(error))
            await self._trouble(job, craft, error)
        except Exception as error:  # a bug in one step: the row must not be stuck under its lease without a word
            log.exception("job %s at %s, %s", job.id, job.provider, job.state)
            await self._trouble(job, craft, error)

    async def _step(self, job: Job, craft: Craft) -> None:
        match job.state:
            case JobState.PREPARING:
                if job.kind is JobKind.TRAINING and job.turn_at is None and not job.cancel_requested:
                    await self._wait_in_line(job, craft)
                else:
                    await self._put_back(await self._prepare(job, craft), craft)
            case JobState.SUBMITTING:
                job = await self._submitter.step(job, craft)
                if job.state is JobState.UNCERTAIN and job.parent_id is not None:
                    # Sample pictures have no card on which a person could decide, and their training waits for them.
                    job = job.failed(_DOUBT, at=self._book.now())
                await self._put_back(job, craft)
            case JobState.QUEUED | JobState.RUNNING:
                await self._follow(job, craft)
            case JobState.COLLECTING:
                await self._collect(job, craft)
            case JobState.UNCERTAIN:
                await self._put_back(self._wait_for_a_person(job), craft)
            case _:
                await self._clean_up(job, craft)

    async def _wait_in_line(self, job: Job, craft: Craft) -> None:
        """Go on with a training whose turn it is; otherwise let it say where it stands."""
        found: list[Standing] = []

        async def turn(connection: AsyncConnection) -> None:
            # In the transaction that gives it a place, so that nobody else takes the same one.
            standing = await self._line.standing(connection, job)
            if standing is not None:
                found.append(standing)
                raise _StandsInLine

        now = self._book.now()
        begun = replace(job, turn_at=now, progress=Progress(), eta_at=self._line.end_of(job))
        try:
            await self._book.save(begun, together=turn)
        except _StandsInLine:
            [standing] = found
            await self._stand(job, craft, standing)
            return
        await self._put_back(await self._prepare(begun, craft), craft)

    async def _stand(self, job: Job, craft: Craft, standing: Standing) -> None:
        moved = job.progress.ahead != standing.ahead or job.eta_at is None
        moved = moved or abs((standing.end - job.eta_at).total_seconds()) > LINE_NEWS if job.eta_at else moved
        if not moved:
            await self._book.rest(job, until=self._book.later(LINE_SECONDS))
            return
        waiting = replace(job, progress=Progress(ahead=standing.ahead), eta_at=standing.end)
        await self._put_back(replace(waiting, next_at=self._book.later(LINE_SECONDS)), craft)

    async def _prepare(self, job: Job, craft: Craft) -> Job:
        if job.cancel_requested:
            return job.moved(JobState.CANCELED, at=self._book.now(), next_at=self._book.now())
        prepared = await craft.adapter(job).prepare(await craft.order(job))
        now = self._book.now()
        return job.moved(JobState.SUBMITTING, at=now, prepared=prepared, tries=0, next_at=now)

    async def _follow(self, job: Job, craft: Craft) -> None:
        adapter, remote_id = craft.adapter(job), job.remote_id or ""
        prepared = job.prepared or {}
        if job.cancel_requested and adapter.capabilities.cancelable:
            await _asked_to_stop(job, adapter)
        snapshot = await adapter.poll(remote_id, prepared)
        job = await self._within_its_time(self._as_seen(job, snapshot), adapter)
        heard = list(snapshot.losses)
        if snapshot.progress and snapshot.progress.step is not None and snapshot.progress.loss is not None:
            heard.append(LossPoint(step=snapshot.progress.step, loss=snapshot.progress.loss))
        await self._put_back(job, craft, heard=heard)

    async def _within_its_time(self, job: Job, adapter: JobAdapter) -> Job:
        """Return the job with its next look, or ended when it has run too long."""
        if job.state.terminal or job.state is JobState.COLLECTING:
            return job
        ran = (self._book.now() - job.started_at).total_seconds() if job.started_at else 0.0
        if ran > adapter.capabilities.max_run_seconds:
            await _asked_to_stop(job, adapter)
            hours = adapter.capabilities.max_run_seconds / 3600
            return job.failed(
                Failure(reason=_TOO_LONG, values={"hours": f"{hours:g}"}),
                at=self._book.now(),
                state=JobState.EXPIRED,
            )
        pause = adapter.capabilities.poll_seconds * random.uniform(0.9, 1.1)  # noqa: S311 - spreads polls, guards nothing
        return replace(job, tries=0, next_at=self._book.later(pause))

    def _as_seen(self, job: Job, snapshot: Snapshot) -> Job:
        now = self._book.now()
        job = replace(job, cost_usd=job.cost_usd if snapshot.cost_usd is None else snapshot.cost_usd)
        match snapshot.state:
            case None:
                self._log_once(job, snapshot)
                return job
            case RemoteState.SUCCEEDED:
                return job.moved(JobState.COLLECTING, at=now, tries=0, next_at=now)
            case RemoteState.QUEUED | RemoteState.RUNNING:
                # A provider that says queued after running has not undone anything.
                running = snapshot.state is RemoteState.RUNNING or job.state is JobState.RUNNING
                began = job.started_at or (now if running else None)
                job = job.moved(JobState.RUNNING if running else JobState.QUEUED, at=now, started_at=began)
                return self._got_on(job, snapshot.progress)
            case ended:
                state, failure = _ENDINGS[ended]
                if snapshot.failure:
                    failure = Failure.of(snapshot.failure, advice=failure.advice)
                return job.failed(failure, at=now, state=state)

    def _got_on(self, job: Job, seen: Progress | None) -> Job:
        if seen is None or seen == job.progress:
            return job
        left = seen.eta_seconds
        if left is None and seen.step and seen.total and job.started_at:
            left = (self._book.now() - job.started_at).total_seconds() / seen.step * (seen.total - seen.step)
        # Until its pace is known, what was reckoned at first holds.
        return replace(job, progress=seen, eta_at=job.eta_at if left is None else self._book.later(left))

    async def _collect(self, job: Job, craft: Craft) -> None:
        folder = craft.workspace(job) / "collected"
        await asyncio.to_thread(_emptied, folder)
        output = await craft.adapter(job).collect(job.remote_id or "", job.prepared or {}, folder)
        brought = await craft.bring_home(job, output)
        now = self._book.now()
        done = job.moved(JobState.SUCCEEDED, at=now, tries=0, next_at=now)

        async def result(connection: AsyncConnection) -> None:
            await craft.keep(connection, done, brought)
            await craft.ended(connection, done)
            await self._budget.close(connection, done)
            await self._call_next(connection, done)

        await self._book.put_back(done, together=result)

    async def _clean_up(self, job: Job, craft: Craft) -> None:
        await asyncio.to_thread(shutil.rmtree, craft.workspace(job), ignore_errors=True)
        if job.prepared is not None:
            await craft.adapter(job).cleanup(job.remote_id, job.prepared)
        await self._book.put_back(replace(job, cleaned=True, next_at=None))

    def _wait_for_a_person(self, job: Job) -> Job:
        if job.cancel_requested:
            return job.moved(JobState.CANCELED, at=self._book.now(), next_at=self._book.now())
        return replace(job, next_at=None)

    async def _trouble(self, claimed: Job, craft: Craft, error: Exception) -> None:
        """Decide between another try and the end; what is paid for is only given up when it is surely gone."""
        job = await self._book.fresh(claimed)
        worn_out = job.tries >= MOST_TRIES
        if job.state.terminal:
            gone = isinstance(error, NotFound | BotError)
            if gone or (worn_out and not craft.adapter(job).capabilities.bills_until_cleaned):
                await self._book.put_back(replace(job, cleaned=True, next_at=None))
                return
        elif job.remote_id is not None:
            ending = self._given_up(job, craft, error)
            if ending is not None:
                state, failure = ending
                await self._end(job, craft, failure, state=state)
                return
        elif job.submitting_since is None and (worn_out or not _passing(error) or _out_of_order(job, error)):
            other = await craft.elsewhere(job) if isinstance(error, _PROVIDERS_OWN) else None
            if other is not None:
                log.info("job %s goes from %s to %s", job.id, job.provider, other.provider)
                await _cleared_away(job, craft)
                await self._put_back(replace(other, next_at=self._book.now()), craft)
                return
            if worn_out or not _passing(error):
                await self._end(job, craft, _failure(error))
                return
        elif job.submitting_since is not None and worn_out:
            # Looking keeps failing; a person can look in other ways.
            await self._put_back(job.moved(JobState.UNCERTAIN, at=self._book.now(), next_at=None), craft)
            return
        # Whoever pressed Cancel during this step does not wait for the pause.
        canceled = job.cancel_requested and not claimed.cancel_requested
        await self._book.postpone(job, until=self._book.later(0 if canceled else self._pause(job, error)))

    def _given_up(self, job: Job, craft: Craft, error: Exception) -> tuple[JobState, Failure] | None:
        """Return how a job ends that its provider has, when nothing can be expected of it any more."""
        if isinstance(error, NotFound):
            # A provider that spreads its news slowly may not know for a moment what it has taken.
            return _ENDINGS[RemoteState.LOST] if job.tries + 1 >= LOOKS_BEFORE_LOST else None
        if isinstance(error, ArtifactBroken) and job.tries >= MOST_TRIES:
            return JobState.FAILED, _failure(error)
        if isinstance(error, BotError):
            return (JobState.CANCELED, _OUT_OF_REACH) if job.cancel_requested else None
        if job.tries < MOST_TRIES:
            return None
        waited = (self._book.now() - (job.started_at or job.created_at)).total_seconds()
        if waited > SILENCE_FACTOR * craft.adapter(job).capabilities.max_run_seconds:
            return JobState.EXPIRED, _SILENT
        return None

    @staticmethod
    def _pause(job: Job, error: Exception) -> float:
        if isinstance(error, ProviderError) and error.retry_after is not None:
            return min(error.retry_after, LONGEST_PAUSE)
        return min(FIRST_PAUSE * 2.0 ** min(job.tries, 20), LONGEST_PAUSE)

    async def _end(self, job: Job, craft: Craft, failure: Failure, *, state: JobState = JobState.FAILED) -> None:
        await self._put_back(job.failed(failure, at=self._book.now(), state=state), craft)

    async def _put_back(self, job: Job, craft: Craft, *, heard: Sequence[LossPoint] = ()) -> None:
        async def aside(connection: AsyncConnection) -> None:
            if heard and job.kind is JobKind.TRAINING:
                await loss_rows.note(connection, job.id, heard, total=job.progress.total)
            if job.state.terminal:
                await craft.ended(connection, job)
                await self._budget.close(connection, job)
            if job.state.terminal or job.state is JobState.UNCERTAIN:
                await self._call_next(connection, job)

        await self._book.put_back(job, together=aside)

    async def _call_next(self, connection: AsyncConnection, job: Job) -> None:
        if job.kind is JobKind.TRAINING:
            await job_rows.call_line(connection, at=self._book.now())

    def _log_once(self, job: Job, snapshot: Snapshot) -> None:
        if (job.provider, snapshot.raw_state) not in self._unknown_states:
            self._unknown_states.add((job.provider, snapshot.raw_state))
            log.warning("%s says %r, which we do not know; keeping the last state", job.provider, snapshot.raw_state)


def _out_of_order(job: Job, error: Exception) -> bool:
    """Tell whether a provider has been out of reach long enough to ask another, before anything was sent."""
    return isinstance(error, Unavailable) and job.tries + 1 >= TRIES_BEFORE_ANOTHER


async def _cleared_away(job: Job, craft: Craft) -> None:
    """Remove what was prepared at a provider that the job leaves, as far as it lets us."""
    if job.prepared is None:
        return
    try:
        await craft.adapter(job).cleanup(None, job.prepared)
    except (BotError, ProviderError) as error:
        log.warning("what job %s prepared at %s stays there: %s", job.id, job.provider, error)


async def _asked_to_stop(job: Job, adapter: JobAdapter) -> None:
    try:
        await adapter.cancel(job.remote_id or "", job.prepared or {})
    except (Unavailable, RateLimited, UnexpectedAnswer) as error:
        # It may end by itself meanwhile, so it is looked at all the same; the next step asks again.
        log.warning("job %s could not be stopped at %s: %s", job.id, job.provider, error)


def _passing(error: Exception) -> bool:
    """Tell whether trying again may help."""
    return not isinstance(error, BotError | ProviderError) or isinstance(
        error, Unavailable | RateLimited | UnexpectedAnswer | ArtifactBroken
    )


def _failure(error: Exception) -> Failure:
    if isinstance(error, BotError | ProviderError):
        return Failure(reason=error.message, values=error.values, advice=error.advice)
    return _BUG


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
