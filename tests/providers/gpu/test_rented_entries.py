"""How RunPod and Paperspace are switched on: what is offered, and what is missing for it."""

import aiohttp
import pytest
from pydantic import SecretStr

from providers.entry import Setup
from providers.gpu.box import BoxOrder
from providers.gpu.leases import NoLeases
from providers.gpu.paperspace_entry import PAPERSPACE
from providers.gpu.runpod import RunPodPods
from providers.gpu.runpod_entry import RUNPOD, _listed, _pods
from providers.prices import PriceList
from providers.recipe import BaseModelName
from tests.fakes.runpod import KEY, FakeRunPod

UNGATED = {BaseModelName.SDXL, BaseModelName.SD_1_5}
OBSTACLE = "Set PUBLIC_URL and DARKROOM_WEB_PORT, so that rented machines can reach this bot."


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def built(entry, session, tmp_path, *, obstacle=None, **set_by_operator):
    setup = Setup(
        session=session,
        links=None,
        folder=tmp_path,
        prices=PriceList(),
        leases=NoLeases(obstacle),
        webhook=lambda name: None,
    )
    return entry.build(entry.options.model_validate(set_by_operator), setup).trainers


async def test_runpod_brings_pods_by_its_key_alone(session, tmp_path):
    trainers = built(RUNPOD, session, tmp_path, runpod_api_key="k")
    assert list(trainers) == ["runpod"]
    assert trainers["runpod"].capabilities.base_models == UNGATED


async def test_runpod_trains_flux_with_a_token_for_its_weights(session, tmp_path):
    trainers = built(RUNPOD, session, tmp_path, runpod_api_key="k", runpod_hf_token="hf_x")
    assert trainers["runpod"].capabilities.base_models == {*UNGATED, BaseModelName.FLUX_1_DEV}


async def test_runpod_brings_its_endpoint_where_one_is_named(session, tmp_path):
    set_by_operator = {"runpod_api_key": "k", "runpod_endpoint_id": "4m7x2k9q"}
    assert list(built(RUNPOD, session, tmp_path, **set_by_operator)) == ["runpod", "runpod-serverless"]
    assert list(built(RUNPOD, session, tmp_path, **set_by_operator, runpod_gpus=" , ")) == ["runpod-serverless"]


@pytest.mark.parametrize("draws", [True, False])
async def test_rented_machines_draw_where_the_operator_says_so(session, tmp_path, draws):
    runpod = {"runpod_api_key": "k", "runpod_endpoint_id": "e", "runpod_samples": draws}
    paperspace = {"paperspace_api_key": "k", "paperspace_template": "t1", "paperspace_samples": draws}
    for entry, options in ((RUNPOD, runpod), (PAPERSPACE, paperspace)):
        for trainer in built(entry, session, tmp_path, **options).values():
            assert trainer._engine.draws is draws


async def test_rented_machines_that_can_t_reach_us_are_offered_no_job_and_say_why(session, tmp_path):
    told = {"paperspace_api_key": "k", "paperspace_template": "t1"}
    for entry, options in ((RUNPOD, {"runpod_api_key": "k", "runpod_endpoint_id": "e"}), (PAPERSPACE, told)):
        for trainer in built(entry, session, tmp_path, obstacle=OBSTACLE, **options).values():
            assert trainer.capabilities.base_models == set()
            health = await trainer.check()
            assert (health.ok, health.detail) == (False, OBSTACLE)


async def test_paperspace_needs_a_template_and_says_so(session, tmp_path):
    [trainer] = built(PAPERSPACE, session, tmp_path, paperspace_api_key="k").values()
    assert trainer.capabilities.base_models == set()
    health = await trainer.check()
    assert not health.ok
    assert health.detail.startswith("Set PAPERSPACE_TEMPLATE")


async def test_paperspace_with_a_template_is_offered_jobs(session, tmp_path):
    options = {"paperspace_api_key": "k", "paperspace_template": "t1", "paperspace_hf_token": "hf_x"}
    [trainer] = built(PAPERSPACE, session, tmp_path, **options).values()
    assert BaseModelName.FLUX_1_DEV in trainer.capabilities.base_models


async def test_runpod_pod_gets_what_the_operator_set(session, tmp_path):
    async with FakeRunPod() as runpod:
        options = RUNPOD.options.model_validate(
            {"runpod_api_key": KEY, "runpod_volume": "vol_x", "runpod_data_centers": "US-TX-3, EU-RO-1"}
        )
        settings = entry_settings(options, runpod, hf_token=SecretStr("hf_secret"))
        pods = RunPodPods(settings, session)
        await pods.create(BoxOrder(name="darkroom-1", env={"A": "b"}, script="sleep 600", max_seconds=60))
        wanted = runpod.asked("order")[0].request
    assert wanted["mounts"] == {"network": [{"volumeId": "vol_x", "path": "/workspace"}]}
    assert wanted["dataCenterIds"] == ["US-TX-3", "EU-RO-1"]
    assert wanted["gpu"] == {"id": "NVIDIA GeForce RTX 4090", "count": 1, "minCudaVersion": "13.0"}
    assert wanted["env"] == {
        "A": "b",
        "HF_TOKEN": "hf_secret",
        "HF_HOME": "/workspace/huggingface",
        "DARKROOM_RUNPOD_URL": runpod.base_url,
    }


def entry_settings(options, runpod, **changes):
    """Return the settings of pods as the entry makes them, at the played RunPod."""
    made = _pods(options, options.runpod_api_key, _listed(options.runpod_gpus))
    return made.model_copy(update={"base_url": runpod.base_url, **changes})
