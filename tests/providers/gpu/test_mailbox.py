"""The mailbox: a bot that no machine can reach and its machines leave each other word in a bucket, or in a folder.

The bucket is moto's, with its signatures and conditions; it was not run against a real S3.
"""

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from urllib.request import Request, urlopen

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore
from pydantic import SecretStr

from bot.adapters import mailbox_of
from bot.doctor import examine
from bot.settings import Settings
from playground.engine_script import Trouble
from providers.base import RemoteState
from providers.errors import ArtifactBroken, NotFound, Refused, Unavailable
from providers.gpu import mailbox
from providers.gpu.agent.archive import sha256_of
from providers.gpu.agent.folder_transport import FolderTransport
from providers.gpu.agent.mailbox_transport import MailboxTransport
from providers.gpu.agent.transport import NotWanted, Rejected, Unreachable
from providers.gpu.leases import LeaseState
from providers.gpu.mailbox import Bucket, MailboxLeases
from providers.gpu.trainer import GpuTrainer
from tests.providers.contract import until, wait_for
from tests.providers.gpu.yard import opened_ground

# One worker for them: starting moto takes longer than all of these tests.
pytestmark = pytest.mark.xdist_group("moto")


@pytest.fixture(scope="module")
def s3():
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3, request):
    name = f"mail-{abs(hash(request.node.name))}"
    urlopen(Request(f"{s3}/{name}", method="PUT", data=b"")).close()
    key, secret = SecretStr("AKIAFAKEKEY"), SecretStr("a secret of the bucket")
    return Bucket(url=f"s3://{name}/here/and there".replace(" ", "-"), key=key, secret=secret, endpoint=s3)


@asynccontextmanager
async def opened_mail(folder, leases):
    async with opened_ground(folder) as ground:
        with patch.object(mailbox, "REPORT_SECONDS", 0.05), patch.object(mailbox, "FOLDER_REPORT_SECONDS", 0.05):
            yield ground, GpuTrainer(ground.yard, ground.offer(), leases)


async def submitted(ground, trainer, **recipe):
    order = ground.order(**recipe)
    prepared = await trainer.prepare(order)
    return await trainer.submit(order, prepared), prepared


def names_in(bucket):
    return [one["path"] for batch in obstore.list(bucket.store()) for one in batch]


async def test_training_goes_through_a_bucket_and_leaves_nothing_in_it(bucket, tmp_path):
    leases = MailboxLeases(bucket.store())
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        with patch.object(mailbox, "PART_BYTES", 500):
            remote_id, prepared = await submitted(ground, trainer)
        seen = await wait_for(trainer, remote_id, prepared)
        assert seen.state is RemoteState.SUCCEEDED, seen
        [one] = ground.yard.built
        await asyncio.wait_for(one.machine.ended.wait(), 10)
        assert one.machine.shut_down
        parts = [name for name in names_in(bucket) if "/files/lora.safetensors/" in name]
        (tmp_path / "out").mkdir()
        lora = await trainer.collect(remote_id, prepared, tmp_path / "out")
        await trainer.cleanup(remote_id, prepared)
        left = names_in(bucket)

    assert len(parts) > 2
    assert lora.facts["loss"] < lora.facts["first_loss"]
    assert [name for name in left if not name.startswith("agent/")] == []
    assert ground.yard.machines == {}


async def test_second_machine_with_the_same_letter_ends_itself(bucket, tmp_path):
    leases = MailboxLeases(bucket.store())
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        ground.yard.twice = True
        remote_id, prepared = await submitted(ground, trainer)
        assert (await wait_for(trainer, remote_id, prepared)).state is RemoteState.SUCCEEDED
        await asyncio.gather(*(asyncio.wait_for(one.machine.ended.wait(), 10) for one in ground.yard.built))
        logs = [one.machine.log for one in ground.yard.built]
        assert all(one.machine.shut_down for one in ground.yard.built)

    assert sorted("another machine holds this job" in log for log in logs) == [False, True]
    assert not [log for log in logs if "X-Amz" in log or "127.0.0.1" in log]


async def test_training_is_canceled_through_the_bucket(bucket, tmp_path):
    leases = MailboxLeases(bucket.store())
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        remote_id, prepared = await submitted(ground, trainer, steps=4000)
        await wait_for(trainer, remote_id, prepared, RemoteState.RUNNING)
        await trainer.cancel(remote_id, prepared)
        assert (await wait_for(trainer, remote_id, prepared)).state is RemoteState.CANCELED


async def test_machine_of_a_job_that_nobody_wants_any_more_ends_itself(bucket, tmp_path):
    leases = MailboxLeases(bucket.store())
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        remote_id, prepared = await submitted(ground, trainer, steps=4000)
        await wait_for(trainer, remote_id, prepared, RemoteState.RUNNING)
        await leases.close(prepared["marker"])
        [one] = ground.yard.built
        await until(one.machine.ended.is_set)
        assert one.machine.shut_down


async def test_failure_is_told_through_the_bucket(bucket, tmp_path, caplog):
    leases = MailboxLeases(bucket.store())
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        ground.mood(Trouble.OUT_OF_MEMORY)
        remote_id, prepared = await submitted(ground, trainer)
        seen = await wait_for(trainer, remote_id, prepared)

    assert seen.state is RemoteState.FAILED
    assert "memory" in str(seen.failure)
    assert "CUDA out of memory" in caplog.text
    assert ground.order().recipe.trigger_word not in caplog.text


class Wired:
    """A mailbox whose agent is in the test's own hands."""

    def __init__(self, leases, archive):
        self.leases = leases
        self.archive = archive

    async def transport(self):
        await self.leases.open("job-1", {"marker": "job-1", "recipe": {}, "engine": "none"}, self.archive)
        letter = (await self.leases.issue("job-1")).env["DARKROOM_LETTER"]
        return MailboxTransport(letter)


@pytest.fixture
def wired(bucket, tmp_path):
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"photos")
    with patch.object(mailbox, "PART_BYTES", 10):
        yield Wired(MailboxLeases(bucket.store()), archive)


async def claimed(wired):
    transport = await wired.transport()
    await asyncio.to_thread(transport.claim, {"box_id": "m1"})
    return transport


async def test_claim_whose_answer_got_lost_is_made_again_by_the_same_machine_alone(wired):
    transport = await claimed(wired)
    await asyncio.to_thread(transport.claim, {"box_id": "m1"})
    with pytest.raises(NotWanted):
        await asyncio.to_thread((await wired.transport()).claim, {"box_id": "m2"})
    report = await wired.leases.report("job-1")
    assert (report.state, report.box_id) == (LeaseState.HELD, "m1")


async def test_claim_of_a_stopped_job_is_refused(wired):
    transport = await wired.transport()
    await wired.leases.stop("job-1")
    with pytest.raises(NotWanted):
        await asyncio.to_thread(transport.claim, {})


async def test_claim_with_a_letter_that_is_gone_is_refused(wired):
    transport = await wired.transport()
    await wired.leases.close("job-1")
    with pytest.raises(NotWanted):
        await asyncio.to_thread(transport.claim, {})


async def test_upload_goes_on_with_the_part_that_was_cut(wired, tmp_path):
    transport = await claimed(wired)
    file = tmp_path / "made"
    file.write_bytes(b"0123456789abcdefghijKLMNOP")
    sent, put = [], transport._put

    def cut_once(link, body, headers=None):
        sent.append(body)
        if len(sent) == 2:
            raise Unreachable("cut")
        put(link, body, headers)

    transport._put = cut_once
    with pytest.raises(Unreachable):
        transport.upload(file, "lora.safetensors", "sum")
    await asyncio.to_thread(transport.upload, file, "lora.safetensors", "sum")
    assert sent == [b"0123456789", b"abcdefghij", b"abcdefghij", b"KLMNOP"]


async def test_upload_that_is_too_large_is_rejected(wired, tmp_path):
    transport = await claimed(wired)
    file = tmp_path / "made"
    file.write_bytes(b"01234567890")
    with pytest.raises(Rejected):
        await asyncio.to_thread(transport.upload, file, "sample-0.png", "sum")


async def finished(wired, tmp_path, *, name="lora.safetensors", sha256="0" * 64):
    transport = await claimed(wired)
    file = tmp_path / "made"
    file.write_bytes(b"0123456789ab")
    await asyncio.to_thread(transport.upload, file, "lora.safetensors", "sum")
    files = [{"name": name, "size": 12, "sha256": sha256}]
    await asyncio.to_thread(transport.finish, {"state": "done", "files": files, "facts": {}})
    return transport


async def test_result_that_is_not_what_was_promised_is_broken_and_leaves_nothing(wired, tmp_path):
    await finished(wired, tmp_path)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ArtifactBroken):
        await wired.leases.fetch("job-1", into)
    assert list(into.iterdir()) == []


async def test_result_under_a_strange_name_is_none(wired, tmp_path):
    await finished(wired, tmp_path, name="../../elsewhere")
    with pytest.raises(Refused):
        await wired.leases.fetch("job-1", tmp_path)
    assert (await wired.leases.report("job-1")).state is LeaseState.HELD


async def test_unknown_jobs_are_unknown(wired):
    assert await wired.leases.report("job-2") is None
    assert await wired.leases.report("../..") is None
    with pytest.raises(NotFound):
        await wired.leases.issue("job-2")
    await wired.leases.stop("job-2")
    await wired.leases.close("job-2")


async def test_price_and_silence_are_reckoned(bucket, tmp_path):
    now = datetime.now(UTC)
    clock = [now]
    leases = MailboxLeases(bucket.store(), now=lambda: clock[0])
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"photos")
    transport = await claimed(Wired(leases, archive))
    await leases.note_price("job-1", 2.5)
    clock[0] = now + timedelta(seconds=100)
    report = await leases.report("job-1")
    assert report.usd_an_hour == 2.5
    assert report.since_issued == pytest.approx(100, abs=2)
    assert report.since_heard == pytest.approx(100, abs=3)
    # One that began to look only now has missed nothing.
    fresh = MailboxLeases(bucket.store(), now=lambda: clock[0])
    assert (await fresh.report("job-1")).since_heard == 0
    assert not await asyncio.to_thread(transport.report, {"progress": {"phase": "training", "loss": 0.5}})
    assert (await leases.report("job-1")).progress.loss == 0.5


async def test_bucket_that_is_not_there_is_unavailable_and_tells_no_link(bucket):
    gone = replace(bucket, endpoint="http://127.0.0.1:1")
    with pytest.raises(Unavailable) as error:
        await MailboxLeases(gone.store()).report("job-1")
    assert "127.0.0.1" not in str(error.value)
    assert not (await MailboxLeases(gone.store()).check()).ok


async def test_training_goes_through_a_folder_and_leaves_nothing_in_it(tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    leases = MailboxLeases(LocalStore(mail), folder=mail)
    async with opened_mail(tmp_path, leases) as (ground, trainer):
        # Where a folder is shared, whoever starts the agent brings it along.
        pyz = tmp_path / "darkroom-agent.pyz"
        pyz.write_bytes(mailbox.packed_agent().data)
        ground.yard.env["DARKROOM_AGENT_URL"] = pyz.as_uri()
        ground.yard.twice = True
        remote_id, prepared = await submitted(ground, trainer)
        assert (await wait_for(trainer, remote_id, prepared)).state is RemoteState.SUCCEEDED
        (tmp_path / "out").mkdir()
        assert (await trainer.collect(remote_id, prepared, tmp_path / "out")).path.exists()
        await asyncio.gather(*(asyncio.wait_for(one.machine.ended.wait(), 10) for one in ground.yard.built))
        await trainer.cleanup(remote_id, prepared)

    assert list(mail.iterdir()) == []


async def test_setting_makes_a_mailbox_and_the_doctor_looks_into_it(bucket, tmp_path):
    settings = Settings(
        _env_file=None,
        darkroom_data_dir=tmp_path,
        darkroom_mailbox=bucket.url,
        aws_access_key_id=bucket.key,
        aws_secret_access_key=bucket.secret,
        aws_endpoint_url=bucket.endpoint,
    )
    assert mailbox_of(settings).obstacle is None
    assert mailbox_of(Settings(_env_file=None)) is None
    [finding] = [one for one in await examine(settings) if one.part == "Mailbox"]
    assert finding.ok, finding


async def test_folder_holds_one_claim_reports_and_what_was_delivered(tmp_path):
    mail, archive, made = tmp_path / "mail", tmp_path / "archive.zip", tmp_path / "made"
    mail.mkdir()
    archive.write_bytes(b"photos")
    made.write_bytes(b"weights")
    leases = MailboxLeases(LocalStore(mail), folder=mail)
    await leases.open("job-1", {"marker": "job-1"}, archive)
    folder = Path((await leases.issue("job-1")).env["DARKROOM_FOLDER"])
    way, sha256 = FolderTransport(folder), sha256_of(made)
    claim = way.claim({"box_id": "m1"})
    with pytest.raises(NotWanted):
        FolderTransport(folder).claim({"box_id": "m2"})
    way.fetch_archive(tmp_path / "came.zip")
    assert sha256_of(tmp_path / "came.zip") == claim.archive_sha256
    assert way.report({"progress": {"phase": "training", "step": 2, "total": 9}}) is False
    seen = await leases.report("job-1")
    assert (seen.state, seen.box_id, seen.progress.step) == (LeaseState.HELD, "m1", 2)
    for _ in range(2):
        way.upload(made, "lora.safetensors", sha256)
    await leases.stop("job-1")
    assert way.report({"progress": {}}) is True
    files = [{"name": "lora.safetensors", "size": 7, "sha256": sha256}]
    way.finish({"state": "done", "files": files, "facts": {"loss": 0.1}})
    (tmp_path / "into").mkdir()
    arrival = await leases.fetch("job-1", tmp_path / "into")
    assert (arrival.lora.read_bytes(), arrival.facts) == (b"weights", {"loss": 0.1})
    await leases.close("job-1")
    for call in (lambda: way.report({}), lambda: way.upload(made, "lora.safetensors", sha256)):
        with pytest.raises(NotWanted):
            call()


async def test_folder_with_a_stopped_job_lets_nobody_claim_it(tmp_path):
    mail, archive = tmp_path / "mail", tmp_path / "archive.zip"
    mail.mkdir()
    archive.write_bytes(b"photos")
    leases = MailboxLeases(LocalStore(mail), folder=mail)
    await leases.open("job-1", {}, archive)
    await leases.stop("job-1")
    with pytest.raises(NotWanted):
        FolderTransport(mail / "job-1").claim({})
