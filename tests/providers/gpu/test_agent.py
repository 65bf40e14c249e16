"""The agent on its machine: one claim, one training, one delivery, and the machine's end, whatever happens."""

import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from contextlib import asynccontextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from providers.base import RemoteState
from providers.gpu.agent import machine, process, worker
from providers.gpu.agent.__main__ import transport_for
from providers.gpu.agent.archive import unpack
from providers.gpu.agent.engine import Command
from providers.gpu.agent.engines import ENGINES
from providers.gpu.agent.folder_transport import FolderTransport
from providers.gpu.agent.http_transport import HttpTransport
from providers.gpu.agent.job import (
    AGENT_FAILED,
    BAD_ARCHIVE,
    DISK_FULL,
    NO_ENGINE,
    NO_IMAGES,
    Made,
    Progress,
    WorkFailed,
)
from providers.gpu.agent.mailbox_transport import MailboxTransport
from providers.gpu.agent.process import EngineProcess, Lines
from providers.gpu.agent.settings import Settings, engine_env
from providers.gpu.agent.transport import Claim, NotWanted, Rejected, Unreachable
from providers.gpu.agent.worker import Worker
from providers.gpu.leases import LeaseState
from tests.providers.contract import snapshots, until, wait_for
from tests.providers.gpu.faults import words
from tests.providers.gpu.yard import opened_ground
from tests.providers.sketch_bench import make_archive

# ---------------------------------------------------------------- on a machine


@asynccontextmanager
async def working(tmp_path, **recipe):
    """Have a machine at work and give what is around it."""
    async with opened_ground(tmp_path) as ground:
        trainer, order = ground.trainer(), ground.order(**recipe)
        prepared = await trainer.prepare(order)
        remote_id = await trainer.submit(order, prepared)
        yield ground, trainer, remote_id, prepared


async def ended(ground):
    for one in ground.yard.built:
        await asyncio.wait_for(one.machine.ended.wait(), 20)


async def test_machine_ends_itself_when_its_work_is_done(tmp_path):
    async with working(tmp_path) as (ground, trainer, remote_id, prepared):
        assert (await wait_for(trainer, remote_id, prepared)).state is RemoteState.SUCCEEDED
        await ended(ground)
        [one] = ground.yard.built
        assert one.machine.shut_down
        assert not list(one.machine._disk.rglob("*.jpg"))


async def test_second_machine_with_the_same_token_ends_itself(tmp_path):
    async with opened_ground(tmp_path) as ground:
        ground.yard.twice = True
        trainer, order = ground.trainer(), ground.order()
        prepared = await trainer.prepare(order)
        remote_id = await trainer.submit(order, prepared)
        assert (await wait_for(trainer, remote_id, prepared)).state is RemoteState.SUCCEEDED
        await ended(ground)
        logs = [one.machine.log for one in ground.yard.built]
        assert all(one.machine.shut_down for one in ground.yard.built)
    # One that comes when all is over is told that nobody wants it.
    assert sorted("this job is not ours" in log for log in logs) == [False, True]


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"DARKROOM_TOKEN": "f" * 43}, "the token or key is wrong"),
        ({"DARKROOM_URL": "http://127.0.0.1:1", "DARKROOM_CLAIM_SECONDS": "1"}, "can't be reached"),
        ({"DARKROOM_TOKEN": ""}, "DARKROOM_TOKEN is missing"),
    ],
)
async def test_machine_that_gets_no_job_ends_itself(env, said, tmp_path):
    async with opened_ground(tmp_path) as ground:
        ground.yard.env |= env
        trainer, order = ground.trainer(), ground.order()
        await trainer.submit(order, await trainer.prepare(order))
        await ended(ground)
        [one] = ground.yard.built
        assert one.machine.shut_down
        assert said in one.machine.log


async def test_machine_whose_job_is_forgotten_ends_itself(tmp_path):
    async with working(tmp_path, steps=4000) as (ground, trainer, remote_id, prepared):
        await wait_for(trainer, remote_id, prepared, RemoteState.RUNNING)
        await ground.site.desk.close(prepared["marker"])
        await ended(ground)
        [one] = ground.yard.built
        assert one.machine.shut_down
        assert "no longer wanted" in one.machine.log


async def test_machine_that_is_told_to_end_ends_its_engine_first(tmp_path):
    async with working(tmp_path, steps=4000) as (ground, trainer, remote_id, prepared):
        async for seen in snapshots(trainer, remote_id, prepared):
            if seen.progress and seen.progress.step:
                break
        [one] = ground.yard.built
        pids = [pid for pid in one.machine.pids if "darkroom-agent.pyz" in words(pid)]
        os.kill(min(pids), signal.SIGTERM)
        await ended(ground)
        assert one.machine.shut_down
        assert "told to end" in one.machine.log
        await until(lambda: not one.machine.pids)


async def test_machine_says_no_secret(tmp_path):
    async with working(tmp_path) as (ground, trainer, remote_id, prepared):
        await wait_for(trainer, remote_id, prepared)
        await ended(ground)
        [one] = ground.yard.built
        log, [token] = one.machine.log, ground.yard.tokens
    assert "ending the machine" in log
    for secret in (token, "127.0.0.1", "zxqfox"):
        assert secret not in log


def begun(tmp_path, **env):
    """Start the agent as a process of its own, in whose folder nothing is told."""
    own = {"DARKROOM_JOB": "j", "DARKROOM_FOLDER": str(tmp_path / "mail"), "DARKROOM_WORK": str(tmp_path / "work")}
    command = [sys.executable, "-m", "providers.gpu.agent"]
    return subprocess.Popen(command, env={**os.environ, **own, **env}, stdout=subprocess.PIPE, text=True)


def test_agent_whose_folder_is_gone_ends_and_leaves_nothing(tmp_path):
    agent = begun(tmp_path)
    assert "its folder is gone" in agent.communicate(timeout=20)[0]
    assert agent.returncode == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("env", "said"), [({"DARKROOM_MAX_SECONDS": "0.6"}, "the longest time"), ({}, "told to end")])
def test_agent_ends_in_time_and_when_it_is_told_to(env, said, tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "job.json").write_text("[]")
    agent = begun(tmp_path, **env)
    first = agent.stdout.readline()
    if not env:
        agent.terminate()
    assert said in first + agent.communicate(timeout=20)[0]
    assert agent.returncode == 4
    assert not (tmp_path / "work").exists()


# ---------------------------------------------------------------- its end


class RunPod(BaseHTTPRequestHandler):
    def do_DELETE(self):
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(self.server.statuses.pop(0))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def runpod(monkeypatch):
    monkeypatch.setattr(machine, "FIRST_PAUSE", 0.01)
    server = HTTPServer(("127.0.0.1", 0), RunPod)
    server.asked, server.statuses = [], [204]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def pod_settings(server, **changes):
    url = f"http://127.0.0.1:{server.server_port}/v2"
    return Settings(
        **{"job": "j", "ending": "runpod", "box_id": "pod1", "runpod_key": "k", "runpod_url": url} | changes
    )


@pytest.mark.parametrize("statuses", [[204], [404], [500, 429, 204], [401, 200]])
def test_pod_is_deleted_with_its_own_key_until_it_is_gone(statuses, runpod):
    runpod.statuses = list(statuses)
    machine.end_machine(pod_settings(runpod))
    assert runpod.asked == [("/v2/pods/pod1", "Bearer k")] * len(statuses)


def test_pod_without_a_key_is_never_taken_for_ended(runpod, monkeypatch, capsys):
    class Slept(Exception):
        pass

    def sleep(_seconds):
        raise Slept

    monkeypatch.setattr(machine.time, "sleep", sleep)
    with pytest.raises(Slept):
        machine.end_machine(pod_settings(runpod, runpod_key=None))
    assert "its bot has to" in capsys.readouterr().out
    assert runpod.asked == []


@pytest.mark.parametrize(("working_command", "tried"), [("shutdown", 1), ("sudo", 2), ("poweroff", 3)])
def test_machine_is_shut_down_by_whatever_works(working_command, tried, tmp_path, monkeypatch):
    for name in ("shutdown", "sudo", "poweroff"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/said\nexit {0 if name == working_command else 1}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    machine.end_machine(Settings(job="j", ending="shutdown"))
    assert len((tmp_path / "said").read_text().split()) == tried


# ---------------------------------------------------------------- what it reads


def test_settings_are_read_from_the_environment():
    env = {"DARKROOM_JOB": "darkroom-1", "DARKROOM_URL": "https://bot/", "DARKROOM_TOKEN": "t", "RUNPOD_POD_ID": "p1"}
    settings = Settings.from_env({**env, "DARKROOM_END": "runpod", "DARKROOM_MAX_SECONDS": "60"})
    assert (settings.url, settings.box_id, settings.ending, settings.max_seconds) == ("https://bot", "p1", "runpod", 60)
    assert "'t'" not in repr(settings)


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"DARKROOM_JOB": "../elsewhere", "DARKROOM_FOLDER": "/x"},
        {"DARKROOM_JOB": "darkroom-1"},
        {"DARKROOM_JOB": "darkroom-1", "DARKROOM_URL": "https://bot"},
        {"DARKROOM_JOB": "darkroom-1", "DARKROOM_FOLDER": "/x", "DARKROOM_LETTER": "https://bucket"},
        {"DARKROOM_JOB": "darkroom-1", "DARKROOM_FOLDER": "/x", "DARKROOM_MAX_SECONDS": "long"},
    ],
)
def test_settings_that_make_no_sense_are_refused(env):
    with pytest.raises(ValueError, match=r"\w"):
        Settings.from_env(env)


def test_way_to_the_bot_is_the_one_that_is_set(tmp_path):
    assert isinstance(transport_for(Settings(job="j", url="https://bot", token="t")), HttpTransport)
    assert isinstance(transport_for(Settings(job="j", letter="https://bucket/letter")), MailboxTransport)
    assert isinstance(transport_for(Settings(job="j", folder=tmp_path)), FolderTransport)


def test_engine_sees_none_of_the_agents_secrets(monkeypatch):
    for name in ("DARKROOM_TOKEN", "DARKROOM_LETTER", "RUNPOD_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    env = engine_env({"OMP_NUM_THREADS": "1"})
    assert {name for name in env if env[name] == "secret"} == {"HF_TOKEN"}
    assert env["OMP_NUM_THREADS"] == "1"


# ---------------------------------------------------------------- the photos


def zipped(path, entries, **attributes):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, data)
    return path


def test_photos_and_captions_are_unpacked_and_nothing_else(tmp_path):
    unpack(make_archive(tmp_path / "a.zip", 2, extra={"evil.sh": b"rm"}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["001.jpg", "001.txt", "002.jpg", "002.txt", "a.zip"]


@pytest.mark.parametrize("name", ["../x.jpg", "/etc/x.jpg", "a/b.jpg", "a\\b.jpg", "c:x.jpg", ".x.jpg"])
def test_archive_with_an_entry_that_reaches_outside_is_refused(name, tmp_path):
    (tmp_path / "into").mkdir()
    with pytest.raises(WorkFailed) as error:
        unpack(zipped(tmp_path / "a.zip", [("1.jpg", b"x"), (name, b"x")]), tmp_path / "into")
    assert error.value.code == BAD_ARCHIVE
    assert sorted(path.name for path in tmp_path.rglob("*.jpg")) in ([], ["1.jpg"])


def test_archive_with_a_link_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", [("1.jpg", b"/etc/passwd")], external_attr=0o120777 << 16)
    with pytest.raises(WorkFailed, match="reaches outside"):
        unpack(path, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archive_that_is_no_good_is_refused(tmp_path, monkeypatch):
    (tmp_path / "text.zip").write_text("no zip")
    zipped(tmp_path / "twice.zip", [("1.jpg", b"x"), ("1.jpg", b"y")])
    zipped(tmp_path / "many.zip", [(f"{number}.txt", b"") for number in range(5001)])
    zipped(tmp_path / "empty.zip", [("1.txt", b"x")])
    for name, code in (("text", BAD_ARCHIVE), ("twice", BAD_ARCHIVE), ("many", BAD_ARCHIVE), ("empty", NO_IMAGES)):
        into = tmp_path / name
        into.mkdir()
        with pytest.raises(WorkFailed) as error:
            unpack(tmp_path / f"{name}.zip", into)
        assert error.value.code == code


def test_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.gpu.agent.archive.MOST_BYTES", 100)
    with pytest.raises(WorkFailed, match="too much"):
        unpack(zipped(tmp_path / "a.zip", [("1.jpg", b"x" * 60), ("2.jpg", b"x" * 60)]), tmp_path)


# ---------------------------------------------------------------- the engine's process


def test_lines_end_at_newlines_and_carriage_returns():
    lines = Lines()
    said = [*lines.cut(b"one\r\ntwo\rthr"), *lines.cut(b"ee\n\n  \n\xff"), *lines.last()]
    assert said == ["one", "two", "three", "\ufffd"]


def test_line_without_an_end_is_cut():
    lines = Lines()
    assert [len(line) for line in lines.cut(b"x" * 5000)] == [2000]


def started(tmp_path, code):
    return EngineProcess(Command(argv=[sys.executable, "-c", code], cwd=tmp_path), tmp_path / "engine.pid")


def test_engine_is_heard_to_its_end(tmp_path):
    engine, heard = started(tmp_path, "import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)"), []
    assert (tmp_path / "engine.pid").exists()
    assert engine.run(heard.append, lambda: False) == 3
    assert sorted(heard) == ["a", "b"]
    assert not (tmp_path / "engine.pid").exists()


def is_gone(pid):
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


async def test_engine_that_leaves_a_child_behind_is_not_waited_for_and_the_child_is_ended(tmp_path):
    child = "import subprocess; print(subprocess.Popen(['sleep', '100']).pid)"
    heard = []
    assert started(tmp_path, child).run(heard.append, lambda: False) == 0
    await until(lambda: is_gone(heard[0]))


def test_engine_that_ignores_the_wish_to_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    heard = []
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)"
    )
    assert started(tmp_path, code).run(heard.append, lambda: bool(heard)) is None


def test_engine_that_is_not_there_is_told_so(tmp_path):
    with pytest.raises(WorkFailed) as error:
        EngineProcess(Command(argv=["/nowhere/python"], cwd=tmp_path), tmp_path / "engine.pid")
    assert error.value.code == NO_ENGINE


# ---------------------------------------------------------------- the one training


class Toy:
    """An engine that writes its file with a shell."""

    script = "echo step; printf made > lora"

    def __init__(self, spec, work):
        self.work = work

    def prepare(self):
        return Command(argv=["sh", "-c", self.script], cwd=self.work.output)

    def hear(self, line):
        return Progress(phase="training", step=1, total=1) if line == "step" else None

    def judge(self, exit_code, tail):
        sample = self.work.output / "picture.PNG"
        sample.write_bytes(b"drawn")
        return Made(lora=str(self.work.output / "lora"), samples=(str(sample), "/nowhere.png"), facts={"loss": 0.1})


class Wire:
    """A way to the bot whose other end is the test."""

    def __init__(self, archive):
        self.archive = archive
        self.trouble = {}
        self.calls = []
        self.files = {}
        self.stop = False

    def _called(self, name):
        self.calls.append(name)
        troubles = self.trouble.get(name, [])
        if troubles and (trouble := troubles.pop(0)) is not None:
            raise trouble

    def claim(self, machine):
        self._called("claim")
        spec = {"marker": "darkroom-1", "engine": "toy", "recipe": {"steps": 1}}
        data = self.archive.read_bytes()
        return Claim(
            spec=spec, archive_sha256=worker.sha256_of(self.archive), archive_size=len(data), report_seconds=0.01
        )

    def fetch_archive(self, to):
        self._called("archive")
        to.write_bytes(self.archive.read_bytes())

    def report(self, status):
        self._called("report")
        return self.stop

    def upload(self, path, name, sha256):
        self._called("upload")
        self.files[name] = path.read_bytes()

    def finish(self, outcome):
        self._called("finish")
        self.outcome = outcome


@pytest.fixture
def wire(tmp_path, monkeypatch):
    monkeypatch.setitem(ENGINES, "toy", Toy)
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    return Wire(make_archive(tmp_path / "photos.zip", 2))


def run(wire, tmp_path, **changes):
    settings = replace(Settings(job="darkroom-1", url="https://bot", token="t", work=tmp_path / "work"), **changes)
    return Worker(settings, wire).run()


def test_work_is_delivered_with_samples_and_facts(wire, tmp_path):
    assert run(wire, tmp_path) == 0
    assert wire.files == {"lora.safetensors": b"made", "sample-0.png": b"drawn"}
    assert wire.outcome["state"] == "done"
    assert wire.outcome["facts"]["loss"] == 0.1
    assert [file["name"] for file in wire.outcome["files"]] == ["lora.safetensors", "sample-0.png"]


def test_work_goes_on_while_the_bot_is_away(wire, tmp_path):
    away = [Unreachable("away")] * 3
    wire.trouble = {name: list(away) for name in ("claim", "archive", "report", "upload", "finish")}
    assert run(wire, tmp_path) == 0
    assert wire.outcome["state"] == "done"


def test_work_that_was_taken_by_another_machine_is_not_begun(wire, tmp_path):
    wire.trouble = {"claim": [NotWanted("taken")]}
    assert run(wire, tmp_path) == 3
    assert wire.calls == ["claim"]


def test_work_for_a_bot_that_never_answers_is_not_begun(wire, tmp_path):
    wire.trouble = {"claim": [Unreachable("away")] * 99}
    assert run(wire, tmp_path, claim_seconds=0.1) == 3


@pytest.mark.parametrize("call", ["archive", "upload", "finish", "report"])
def test_work_that_nobody_wants_any_more_ends_without_a_word(call, wire, tmp_path):
    Toy.script, script = ("sleep 100" if call == "report" else Toy.script), Toy.script
    wire.trouble = {call: [NotWanted("gone")] * 99}
    try:
        assert run(wire, tmp_path) == 3
    finally:
        Toy.script = script
    assert not hasattr(wire, "outcome")


def test_work_is_stopped_on_the_bots_word(wire, tmp_path, monkeypatch):
    monkeypatch.setattr(Toy, "script", "sleep 100")
    wire.stop = True
    assert run(wire, tmp_path) == 0
    assert wire.outcome["state"] == "stopped"


def test_work_with_photos_that_never_come_right_fails(wire, tmp_path):
    good = wire.archive.read_bytes()
    wire.fetch_archive = lambda to: to.write_bytes(good[:-1])
    assert run(wire, tmp_path) == 0
    assert (wire.outcome["state"], wire.outcome["code"]) == ("failed", BAD_ARCHIVE)


def test_work_with_photos_that_never_come_is_given_up(wire, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "ARCHIVE_SECONDS", 0.05)
    wire.trouble = {"archive": [Unreachable("away")] * 99}
    assert run(wire, tmp_path) == 0
    assert wire.outcome["code"] == BAD_ARCHIVE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("zxqfox"), AGENT_FAILED),
        (OSError(errno.ENOSPC, "full"), DISK_FULL),
        (OSError(errno.EIO, "broken"), AGENT_FAILED),
        (WorkFailed("nan loss", "No."), "nan loss"),
    ],
)
def test_work_that_breaks_is_told_to_the_bot(error, code, wire, tmp_path, monkeypatch):
    def judge(self, exit_code, tail):
        raise error

    monkeypatch.setattr(Toy, "judge", judge)
    assert run(wire, tmp_path) == 0
    assert (wire.outcome["state"], wire.outcome["code"]) == ("failed", code)
    assert wire.outcome["tail"] == ["step"]
    assert "zxqfox" not in wire.outcome["hint"]


def test_work_for_an_engine_that_is_not_here_fails(wire, tmp_path, monkeypatch):
    monkeypatch.delitem(ENGINES, "toy")
    assert run(wire, tmp_path) == 0
    assert wire.outcome["code"] == NO_ENGINE


def test_delivery_that_is_rejected_again_and_again_ends_in_a_failure(wire, tmp_path):
    wire.trouble = {"upload": [Rejected("status 400")] * 99}
    assert run(wire, tmp_path) == 0
    assert (wire.outcome["state"], wire.outcome["code"]) == ("failed", AGENT_FAILED)


def test_delivery_of_which_not_even_the_failure_is_taken_ends_all_the_same(wire, tmp_path):
    wire.trouble = {name: [Rejected("status 400")] * 99 for name in ("upload", "finish")}
    assert run(wire, tmp_path) == 3


# ---------------------------------------------------------------- its way to the real bot


async def test_agents_way_to_the_bot_claims_reports_delivers_and_ends(tmp_path):
    async with opened_ground(tmp_path) as ground:
        desk, order = ground.site.desk, ground.order()
        await desk.open("darkroom-1", {"marker": "darkroom-1"}, order.archive)
        token = (await desk.issue("darkroom-1")).env["DARKROOM_TOKEN"]
        made = tmp_path / "made"
        made.write_bytes(b"0123456789" * 10)

        def go():
            way = HttpTransport(ground.site.url, "darkroom-1", token)
            claim = way.claim({})
            way.fetch_archive(tmp_path / "came.zip")
            assert worker.sha256_of(tmp_path / "came.zip") == claim.archive_sha256
            assert way.report({"progress": {"phase": "training"}}) is False
            files = [{"name": "lora.safetensors", "size": 100, "sha256": worker.sha256_of(made)}]
            with pytest.raises(Unreachable):
                way.finish({"state": "done", "files": files})
            way.upload(made, "lora.safetensors", worker.sha256_of(made))
            with pytest.raises(Unreachable, match="damaged"):
                way.upload(made, "sample-0.png", "0" * 64)
            with pytest.raises(Rejected):
                way.upload(made, "lora.txt", worker.sha256_of(made))
            way.finish({"state": "done", "files": files})
            with pytest.raises(NotWanted):
                HttpTransport(ground.site.url, "darkroom-1", token).claim({})

        await asyncio.to_thread(go)
        assert (await desk.report("darkroom-1")).state is LeaseState.DONE


async def test_agents_way_through_a_proxy_that_takes_little_sends_smaller_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.web.agent.MOST_PART_BYTES", 1024 * 1024)
    async with opened_ground(tmp_path) as ground:
        desk = ground.site.desk
        await desk.open("darkroom-1", {"marker": "darkroom-1"}, ground.order().archive)
        token = (await desk.issue("darkroom-1")).env["DARKROOM_TOKEN"]
        made = tmp_path / "made"
        made.write_bytes(b"m" * 5_000_000)

        def go():
            way = HttpTransport(ground.site.url, "darkroom-1", token)
            way.claim({})
            way.upload(made, "lora.safetensors", worker.sha256_of(made))

        await asyncio.to_thread(go)
        assert ground.site.arrivals.path("darkroom-1", "lora.safetensors").stat().st_size == 5_000_000


def test_agents_way_to_a_bot_that_is_not_there_is_unreachable_and_tells_no_address():
    with pytest.raises(Unreachable) as error:
        HttpTransport("http://127.0.0.1:1", "darkroom-1", "t").claim({})
    assert "127.0.0.1" not in str(error.value)


@pytest.mark.parametrize("status", [401, 404, 409, 410, 502])
def test_agents_way_through_a_proxy_that_answers_for_the_bot_is_only_unreachable(status, runpod):
    runpod.statuses = [status]
    way = HttpTransport(f"http://127.0.0.1:{runpod.server_port}", "darkroom-1", "t")
    with pytest.raises(Unreachable) as error:
        way._json("DELETE", "anything")
    assert not isinstance(error.value, NotWanted)


def test_agents_way_through_a_folder_says_when_the_job_is_gone(tmp_path):
    way = FolderTransport(tmp_path / "gone")
    for call in (lambda: way.claim({}), lambda: way.report({}), lambda: way.finish({})):
        with pytest.raises(NotWanted):
            call()
    (tmp_path / "job.json").write_text("[]")
    with pytest.raises(Unreachable):
        FolderTransport(tmp_path).report({})


def test_agent_needs_no_python_of_ours():
    foreign = "{'pydantic', 'aiohttp', 'safetensors'} & {*sys.modules}"
    told = f"import providers.gpu.agent.__main__, sys; print({foreign} or 'none')"
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "none"
