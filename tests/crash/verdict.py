"""What must be true when a story is over, however often the bot died in it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.crash.scenarios import Scenario, Story, hash_of
from tests.fakes.till import TillJob

#: How many orders each story pays for: a training also makes its four samples.
PAID = {
    Scenario.TRAINING: 2,
    Scenario.GENERATION: 1,
    Scenario.CANCEL: 1,
    Scenario.SHEET: 3,
    Scenario.RETENTION: 0,
}
#: The jobs of each story: a sheet is one besides those of its columns.
JOBS = PAID | {Scenario.SHEET: 4}
#: What the till says that an order cost, in millionths of a dollar.
TILL_MICRO_USD = 250_000
#: The messages that stand in the channel at the end: a training's card and its last word, or the one card.
MESSAGES = {
    Scenario.TRAINING: 2,
    Scenario.GENERATION: 1,
    Scenario.CANCEL: 1,
    Scenario.SHEET: 1,
    Scenario.RETENTION: 0,
}
#: The drafts at the end; everybody but the canceled one has a model.
DRAFTS = {
    Scenario.TRAINING: {"Rusty": "trained"},
    Scenario.GENERATION: {"Rusty": "trained"},
    Scenario.CANCEL: {"Rusty": "open"},
    Scenario.SHEET: {"Rusty": "trained"},
    Scenario.RETENTION: {"Rusty": "trained", "Bella": "discarded", "Carla": "discarded"},
}


def violations(story: Story, log: str) -> list[str]:
    """Say what is wrong; nothing is good."""
    return [*_money(story), *_ledger(story), *_rows(story), *_messages(story), *_files(story), *_log(log)]


def _money(story: Story) -> Iterator[str]:
    for marker, times in Counter(story.till.bill).items():
        if times > 1:
            yield f"{marker} was paid {times} times"
    if len(story.till.bill) != PAID[story.scenario]:
        yield f"{len(story.till.bill)} orders were paid, not {PAID[story.scenario]}"
    known = {row["remote_id"] for row in story.rows("SELECT remote_id FROM jobs")}
    if lost := set(story.till.jobs) - known:
        yield f"nobody knows of the paid orders {sorted(lost)}"
    if going := [job.id for job in story.till.jobs.values() if not _ended(job)]:
        yield f"the orders {going} still run at the till"
    if story.till.uploads:
        yield f"{len(story.till.uploads)} uploads were left at the till"


def _ledger(story: Story) -> Iterator[str]:
    """Every job is reserved once and closed once, and what was settled is what the till took."""
    lines = [line for line in story.rows("SELECT * FROM ledger") if line["job_id"] not in story.old]
    for job in story.jobs():
        kinds = sorted(line["kind"] for line in lines if line["job_id"] == job["id"])
        if kinds not in (["release", "reserve"], ["reserve", "settle"]):
            yield f"the ledger says {kinds} of job {job['id']}"
    settled = sum(line["micro_usd"] for line in lines if line["kind"] == "settle")
    if settled != TILL_MICRO_USD * len(story.till.bill):
        yield f"{settled} micro dollars were settled for {len(story.till.bill)} paid orders"


def _ended(job: TillJob) -> bool:
    return job.canceled or (len(job.looks) == 1 and job.looks[0].status == "succeeded")


def _rows(story: Story) -> Iterator[str]:
    states = sorted(row["state"] for row in story.jobs())
    wanted = ["canceled"] if story.scenario is Scenario.CANCEL else ["succeeded"] * JOBS[story.scenario]
    if states != wanted:
        yield f"the rows say {states}, not {wanted}"
    drafts = {row["name"]: row["state"] for row in story.rows("SELECT name, state FROM drafts")}
    if drafts != DRAFTS[story.scenario]:
        yield f"the drafts are {drafts}"
    photos = len(story.rows("SELECT 1 FROM photos"))
    if photos != (0 if story.scenario is Scenario.RETENTION else 2):
        yield f"there are rows of {photos} photos"
    models = len(story.rows("SELECT 1 FROM loras"))
    if models != (0 if story.scenario is Scenario.CANCEL else 1):
        yield f"there are {models} models"


def _messages(story: Story) -> Iterator[str]:
    seen = [message for message in story.person.sees() if not message.ephemeral]
    if len(seen) != MESSAGES[story.scenario]:
        yield f"{len(seen)} messages stand in the channel: {[message.text[:40] for message in seen]}"
    last_words = [message for message in seen if "is ready" in message.text]
    if len(last_words) != (1 if story.scenario is Scenario.TRAINING else 0):
        yield f"the last word stands {len(last_words)} times"
    if story.scenario is Scenario.TRAINING and any(len(message.images) != 4 for message in last_words):
        yield "the last word lacks its pictures"
    if story.scenario is Scenario.GENERATION and [len(message.images) for message in seen] != [2]:
        yield "there is not one gallery of two pictures"
    if story.scenario is Scenario.SHEET and [len(message.images) for message in seen] != [1]:
        yield "there is not one sheet"
    if story.scenario is Scenario.CANCEL and not all("Stopped" in message.text for message in seen):
        yield f"the card does not say that it was stopped: {[message.text for message in seen]}"


def _files(story: Story) -> Iterator[str]:
    work, blobs = story.folder / "work", story.folder / "blobs"
    if left := [path.name for path in _children(work)]:
        yield f"left in work/: {left}"
    owned, lying = story.named_blobs("photos", "loras", "pictures"), story.lying_blobs()
    if orphans := lying - owned:
        yield f"blobs of nobody: {sorted(orphans)}"
    if missing := owned - lying:
        yield f"blobs are missing: {sorted(missing)}"
    if changed := [key for key, hashed in story.treasures.items() if hash_of(blobs / key) != hashed]:
        yield f"models or pictures were changed: {changed}"


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def _log(log: str) -> Iterator[str]:
    if "Traceback" in log:
        yield "a traceback in the log: " + log[log.index("Traceback") :].strip().splitlines()[-1]
