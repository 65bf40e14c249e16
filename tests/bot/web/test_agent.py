"""What agents on machines are answered: who may claim, what a report does, how a delivery goes on after a cut."""

import asyncio
import hashlib
import io
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.store import leases as rows
from bot.web.agent import MOST_PART_BYTES, MOST_REPORT_BYTES
from providers.base import Progress
from providers.errors import ArtifactBroken, NotFound, Refused
from providers.gpu.leases import LeaseState
from providers.gpu.packing import packed_agent
from tests.bot.training.rails import HandClock
from tests.providers.contract import until
from tests.providers.gpu.yard import Ground, opened_ground

HOLDER, OTHER = "h" * 43, "o" * 43
SPEC = {"marker": "darkroom-1", "engine": "sd-scripts", "recipe": {"trigger_word": "zxqfox"}}
DATA = bytes(range(256)) * 40


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@dataclass(kw_only=True)
class Door:
    """The bot's web server, knocked at by hand."""

    ground: Ground
    session: aiohttp.ClientSession
    clock: HandClock
    token: str = ""

    @property
    def desk(self):
        return self.ground.site.desk

    async def ask(self, method: str, what: str, *, key: str | None = HOLDER, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = f"{self.ground.site.url}/agent/v1/jobs/darkroom-1/{what}"
        async with self.session.request(method, url, headers=headers, **more) as answer:
            body = await answer.read()
            return answer.status, json.loads(body) if answer.content_type == "application/json" else body

    async def claim(self, token: str | None = None, holder: str = HOLDER, **machine: str) -> tuple[int, Any]:
        told = {"token": token or self.token, "holder": holder, "machine": machine}
        return await self.ask("POST", "claim", key=None, json=told)

    async def part(self, begin: int, data: Any, *, name: str = "lora.safetensors", whole: bytes = DATA, **changes: Any):
        query = {"size": len(whole), "sha256": sha256(whole), "offset": begin} | changes
        return await self.ask("PUT", f"files/{name}", params=query, data=data)

    async def finish(self, **outcome: Any) -> tuple[int, Any]:
        return await self.ask("POST", "finish", json=outcome)

    async def deliver(self, data: bytes = DATA) -> None:
        assert (await self.part(0, data, whole=data))[1]["complete"]
        files = [{"name": "lora.safetensors", "size": len(data), "sha256": sha256(data)}]
        assert await self.finish(state="done", files=files, facts={"loss": 0.1}) == (200, {"missing": []})


@asynccontextmanager
async def opened_door(folder, *, claimed=True):
    clock = HandClock()
    async with opened_ground(folder, clock=clock) as ground, aiohttp.ClientSession() as session:
        door = Door(ground=ground, session=session, clock=clock)
        await door.desk.open("darkroom-1", SPEC, ground.order().archive)
        ticket = await door.desk.issue("darkroom-1")
        door.token = ticket.env["DARKROOM_TOKEN"]
        if claimed:
            assert (await door.claim())[0] == 200
        yield door


async def test_agent_is_served_under_its_checksum_alone(tmp_path):
    async with opened_door(tmp_path, claimed=False) as door:
        url = (await door.desk.issue("darkroom-1")).agent_url
        async with door.session.get(url) as answer:
            assert await answer.read() == packed_agent().data
        async with door.session.get(url.replace(packed_agent().sha256, "0" * 64)) as answer:
            assert answer.status == 404


async def test_claim_tells_the_job_and_what_its_photos_must_be(tmp_path):
    async with opened_door(tmp_path, claimed=False) as door:
        status, told = await door.claim(box_id="m7")
        archive = door.ground.order().archive.read_bytes()
        report = await door.desk.report("darkroom-1")
    assert (status, told["spec"]) == (200, SPEC)
    assert told["archive"] == {"sha256": sha256(archive), "size": len(archive)}
    assert (report.state, report.box_id) == (LeaseState.HELD, "m7")


async def test_claim_is_given_once_and_again_only_to_whoever_has_it(tmp_path):
    async with opened_door(tmp_path, claimed=False) as door:
        first, again, other = [await door.claim(holder=holder) for holder in (HOLDER, HOLDER, OTHER)]
    assert (first[0], again) == (200, first)
    assert other == (409, {"darkroom": "another machine holds this job"})


async def test_claim_by_two_machines_at_once_is_given_to_one(tmp_path):
    async with opened_door(tmp_path, claimed=False) as door:
        answers = await asyncio.gather(*(door.claim(holder=str(number) * 40) for number in range(8)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7


async def test_claim_with_another_token_is_refused(tmp_path):
    async with opened_door(tmp_path, claimed=False) as door:
        assert (await door.claim(token="f" * 43)) == (401, {"darkroom": "the token or key is wrong"})
        fresh = (await door.desk.issue("darkroom-1")).env["DARKROOM_TOKEN"]
        assert (await door.claim())[0] == 401
        assert (await door.claim(token=fresh))[0] == 200


async def test_claim_of_what_nobody_wants_any_more_is_refused(tmp_path):
    gone = (410, {"darkroom": "nobody wants this job any more"})
    async with opened_door(tmp_path, claimed=False) as door:
        door.clock.move(25 * 3600)
        assert await door.claim() == gone
        door.clock.move(-25 * 3600)
        await door.desk.stop("darkroom-1")
        assert await door.claim() == gone
        await door.desk.close("darkroom-1")
        assert await door.claim() == gone


async def test_secrets_are_stored_as_hashes_alone(tmp_path):
    async with opened_door(tmp_path) as door:
        token = door.token
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("darkroom.db*"))
    assert b"darkroom-1" in stored
    assert token.encode() not in stored
    assert HOLDER.encode() not in stored


CALLS = [
    ("GET", "archive"),
    ("POST", "report"),
    ("GET", "files/lora.safetensors"),
    ("PUT", "files/lora.safetensors"),
    ("POST", "finish"),
]


@pytest.mark.parametrize(("method", "what"), CALLS)
async def test_calls_need_the_key_of_the_machine_that_holds_the_job(method, what, tmp_path):
    async with opened_door(tmp_path) as door:
        answers = [await door.ask(method, what, key=key) for key in (None, OTHER, door.token)]
        await door.desk.close("darkroom-1")
        answers.append(await door.ask(method, what))
    assert [status for status, _ in answers] == [401, 401, 401, 410]
    assert all(told["darkroom"] for _, told in answers)


async def test_archive_is_sent_in_whole_or_in_part(tmp_path):
    async with opened_door(tmp_path) as door:
        photos = door.ground.order().archive.read_bytes()
        assert await door.ask("GET", "archive") == (200, photos)
        door.ground.order().archive.unlink()
        assert (await door.ask("GET", "archive"))[0] == 404


async def test_report_is_kept_and_makes_its_job_due_when_something_changed(tmp_path):
    told = {"phase": "training", "step": 3, "total": 9, "loss": 0.5, "eta_seconds": 6.0}
    async with opened_door(tmp_path) as door:
        door.ground.site.news.clear()
        assert await door.ask("POST", "report", json={"progress": told}) == (200, {"stop": False})
        assert [news.due for news in door.ground.site.news] == [True]
        await door.ask("POST", "report", json={"progress": told})
        assert len(door.ground.site.news) == 1
        report = await door.desk.report("darkroom-1")
    assert report.progress == Progress(**told)


async def test_report_is_answered_with_the_wish_to_stop(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.desk.stop("darkroom-1")
        door.clock.move(5)
        assert await door.ask("POST", "report", json={"progress": {}}) == (200, {"stop": True})
        await door.desk.stop("darkroom-1")
        assert (await door.desk.report("darkroom-1")).since_stop == 5


@pytest.mark.parametrize("loss", ["NaN", "Infinity", "null"])
async def test_report_may_have_a_loss_that_is_no_number(loss, tmp_path):
    async with opened_door(tmp_path) as door:
        body = f'{{"progress": {{"phase": "training", "loss": {loss}}}}}'
        assert (await door.ask("POST", "report", data=body))[0] == 200
        assert (await door.desk.report("darkroom-1")).progress.loss is None


@pytest.mark.parametrize("body", ["", "[]", "no json", '{"progress": {"step": -1}}', '{"progress": 7}'])
async def test_report_that_makes_no_sense_is_refused(body, tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.ask("POST", "report", data=body))[0] == 400


async def test_report_that_is_too_long_is_refused(tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.ask("POST", "report", data=b"x" * (MOST_REPORT_BYTES + 1)))[0] == 413


async def test_silence_counts_from_when_somebody_could_hear(tmp_path):
    async with opened_door(tmp_path) as door:
        door.clock.move(1000)
        assert (await door.desk.report("darkroom-1")).since_heard == 1000
        door.ground.site.bind(door.ground.site._database)
        assert (await door.desk.report("darkroom-1")).since_heard == 0


async def test_file_arrives_in_parts(tmp_path):
    async with opened_door(tmp_path) as door:
        first = await door.part(0, DATA[:4000])
        second = await door.part(4000, DATA[4000:])
        arrived = door.ground.site.arrivals.path("darkroom-1", "lora.safetensors").read_bytes()
    assert first == (200, {"have": 4000, "complete": False})
    assert second == (200, {"have": len(DATA), "complete": True})
    assert arrived == DATA


@pytest.mark.parametrize("offset", [0, 2000, 9000, 10**9])
async def test_part_out_of_order_changes_nothing_and_is_told_where_to_go_on(offset, tmp_path):
    async with opened_door(tmp_path) as door:
        await door.part(0, DATA[:4000])
        assert await door.part(offset, b"other bytes") == (200, {"have": 4000, "complete": False})
        assert (await door.part(4000, DATA[4000:]))[1]["complete"]


async def test_part_that_is_cut_off_is_kept_as_far_as_it_came(tmp_path):
    async with opened_door(tmp_path) as door:
        _, line = await asyncio.open_connection("127.0.0.1", door.ground.site.port)
        query = f"size={len(DATA)}&sha256={sha256(DATA)}&offset=0"
        line.write(
            f"PUT /agent/v1/jobs/darkroom-1/files/lora.safetensors?{query} HTTP/1.1\r\nHost: bot\r\n"
            f"Authorization: Bearer {HOLDER}\r\nContent-Length: {len(DATA)}\r\n\r\n".encode()
        )
        line.write(DATA[:3000])
        folder = tmp_path / "arrivals" / "darkroom-1"
        await until(lambda: folder.exists() and [path.stat().st_size for path in folder.iterdir()] == [3000])
        line.close()
        query = {"size": len(DATA), "sha256": sha256(DATA)}
        assert await door.ask("GET", "files/lora.safetensors", params=query) == (200, {"have": 3000, "complete": False})
        assert (await door.part(3000, DATA[3000:]))[1]["complete"]


async def test_part_goes_to_disk_while_it_comes(tmp_path):
    whole, came = b"m" * 3_000_000, asyncio.Event()

    async def slowly():
        yield whole[:2_000_000]
        await came.wait()
        yield whole[2_000_000:]

    async with opened_door(tmp_path) as door:
        sending = asyncio.create_task(door.part(0, slowly(), whole=whole))
        folder = tmp_path / "arrivals" / "darkroom-1"
        await until(lambda: folder.exists() and [path.stat().st_size for path in folder.iterdir()] == [2_000_000])
        came.set()
        assert (await sending)[1]["complete"]


async def test_part_beyond_what_was_announced_is_not_written(tmp_path):
    async with opened_door(tmp_path) as door:
        status, told = await door.part(0, DATA + b"more")
        assert (status, told) == (200, {"have": len(DATA), "complete": True})


async def test_part_that_is_too_large_is_refused(tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.part(0, io.BytesIO(b"x" * (MOST_PART_BYTES + 1)), size=10**9))[0] == 413


async def test_file_with_another_checksum_is_begun_anew(tmp_path):
    async with opened_door(tmp_path) as door:
        assert await door.part(0, DATA[:-1] + b"!") == (200, {"have": 0, "complete": False})
        assert (await door.part(0, DATA))[1]["complete"]


async def test_file_that_has_arrived_is_not_sent_again(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.part(0, DATA)
        assert await door.part(0, b"anything") == (200, {"have": len(DATA), "complete": True})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("lora.txt", {}),
        ("sample-9.png", {}),
        ("..%2F..%2Flora.safetensors", {}),
        ("lora.safetensors", {"size": 0}),
        ("lora.safetensors", {"size": 10**11}),
        ("lora.safetensors", {"size": "ten"}),
        ("lora.safetensors", {"sha256": "../.."}),
        ("lora.safetensors", {"offset": "-1"}),
    ],
)
async def test_file_that_nobody_expects_is_refused(name, changes, tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.part(0, DATA, name=name, **changes))[0] in {400, 404}
        assert not (tmp_path / "arrivals").exists()


async def test_end_without_the_promised_files_is_no_end(tmp_path):
    files = [{"name": "lora.safetensors", "size": len(DATA), "sha256": sha256(DATA)}]
    async with opened_door(tmp_path) as door:
        assert await door.finish(state="done", files=files) == (200, {"missing": ["lora.safetensors"]})
        assert (await door.desk.report("darkroom-1")).state is LeaseState.HELD


async def test_end_is_told_again_when_its_answer_got_lost(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.deliver()
        door.clock.move(60)
        await door.deliver()
        report = await door.desk.report("darkroom-1")
    assert (report.state, report.used_seconds) == (LeaseState.DONE, 0)


async def test_first_end_counts(tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.finish(state="stopped"))[0] == 200
        assert (await door.finish(state="failed", code="nan loss", hint="No."))[0] == 200
        assert (await door.desk.report("darkroom-1")).state is LeaseState.STOPPED


async def test_failure_is_told_with_its_hint_and_logged_without_what_its_person_wrote(tmp_path, caplog):
    tail = ["loading", "a photo of zxqfox", "CUDA out of memory, see https://example.org/key"]
    async with opened_door(tmp_path) as door:
        await door.finish(state="failed", code="out of memory", hint="The GPU's memory ran out.", tail=tail)
        report = await door.desk.report("darkroom-1")
    assert (report.state, report.failure) == (LeaseState.FAILED, "The GPU's memory ran out.")
    assert "CUDA out of memory" in caplog.text
    assert "zxqfox" not in caplog.text
    assert "example.org" not in caplog.text


async def test_result_is_copied_out_and_checked_once_more(tmp_path):
    async with opened_door(tmp_path) as door:
        (tmp_path / "into").mkdir()
        with pytest.raises(Refused):
            await door.desk.fetch("darkroom-1", tmp_path / "into")
        await door.deliver()
        arrival = await door.desk.fetch("darkroom-1", tmp_path / "into")
        assert (arrival.lora.read_bytes(), arrival.facts) == (DATA, {"loss": 0.1})
        door.ground.site.arrivals.path("darkroom-1", "lora.safetensors").write_bytes(DATA[:-1] + b"!")
        with pytest.raises(ArtifactBroken):
            await door.desk.fetch("darkroom-1", tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


async def test_result_without_a_lora_is_broken(tmp_path):
    async with opened_door(tmp_path) as door:
        assert (await door.finish(state="done"))[1] == {"missing": []}
        with pytest.raises(ArtifactBroken):
            await door.desk.fetch("darkroom-1", tmp_path)


async def test_lease_that_is_closed_leaves_nothing(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.deliver()
        await door.desk.close("darkroom-1")
        await door.desk.close("darkroom-1")
        assert await door.desk.report("darkroom-1") is None
        with pytest.raises(NotFound):
            await door.desk.issue("darkroom-1")
        with pytest.raises(NotFound):
            await door.desk.fetch("darkroom-1", tmp_path)
    assert list((tmp_path / "arrivals").iterdir()) == []


async def test_files_of_jobs_that_nobody_knows_are_swept(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.deliver()
        (tmp_path / "arrivals" / "darkroom-2").mkdir()
        await door.desk.sweep()
    assert [path.name for path in (tmp_path / "arrivals").iterdir()] == ["darkroom-1"]


async def test_job_that_a_machine_holds_is_not_described_anew(tmp_path):
    async with opened_door(tmp_path) as door:
        await door.desk.open("darkroom-1", {"other": 1}, door.ground.order().archive)
        async with door.ground.site._database.begin() as connection:
            assert (await rows.get(connection, "darkroom-1")).spec == SPEC
