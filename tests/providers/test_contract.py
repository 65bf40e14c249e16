"""What every adapter must do, whoever its provider is; each test runs once for each bench."""

import logging
from dataclasses import replace

import pytest
import pytest_asyncio

from providers.base import ExtraLora, HearsWebhooks, RemoteState, TrainingOrder
from providers.errors import (
    ArtifactBroken,
    BadCredentials,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Refused,
    SubmitUnsure,
    Unavailable,
    WebhookRejected,
)
from providers.recipe import BaseModelName, Limits
from tests.providers.benches import BENCHES
from tests.providers.contract import PROMPT, RETRY_AFTER, SINCE, TRIGGER_WORD, Fault, snapshots, wait_for


@pytest_asyncio.fixture(params=BENCHES)
async def bench(request, tmp_path):
    bench = BENCHES[request.param](tmp_path)
    skip_where_not_applicable(bench, request.function.__name__.removeprefix("test_contract_"))
    await bench.start()
    yield bench
    await bench.stop()


def skip_where_not_applicable(bench, case):
    if case in bench.not_applicable:
        pytest.skip(bench.not_applicable[case])


async def accepted(adapter, order):
    prepared = await adapter.prepare(order)
    return await adapter.submit(order, prepared), prepared


def estimated(adapter, order):
    if isinstance(order, TrainingOrder):
        return adapter.estimate(order.recipe, order.photo_count)
    return adapter.estimate(order.count)


async def test_contract_a_job_goes_from_prepare_to_cleanup_each_call_repeatable(bench):
    adapter, order = bench.make_adapter(), bench.make_order("job-1")
    prepared = await adapter.prepare(order)
    assert await adapter.prepare(order) == prepared
    remote_id = await adapter.submit(order, prepared)
    assert await adapter.find("job-1", prepared, SINCE) == remote_id
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED
    for name in ("first", "second"):
        into = bench.tmp_path / name
        into.mkdir()
        bench.check_output(await adapter.collect(remote_id, prepared, into), order, into)
    await adapter.cleanup(remote_id, prepared)
    await adapter.cleanup(remote_id, prepared)


async def test_contract_progress_never_goes_back(bench):
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
    seen = [look async for look in snapshots(adapter, remote_id, prepared)]
    ranks = [[RemoteState.QUEUED, RemoteState.RUNNING, RemoteState.SUCCEEDED].index(look.state) for look in seen]
    steps = [look.progress.step for look in seen if look.progress and look.progress.step is not None]
    assert ranks == sorted(ranks)
    assert steps == sorted(steps)
    assert all(look.progress.step <= look.progress.total for look in seen if look.progress and look.progress.total)


async def test_contract_a_queued_job_says_so_and_can_be_canceled(bench):
    adapter = bench.make_adapter()
    with bench.busy():
        remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
        assert (await adapter.poll(remote_id, prepared)).state is RemoteState.QUEUED
        await adapter.cancel(remote_id, prepared)
        await adapter.cancel(remote_id, prepared)
        assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.CANCELED


async def test_contract_a_running_job_can_be_canceled(bench):
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_long_order("job-1"))
    await wait_for(adapter, remote_id, prepared, RemoteState.RUNNING)
    await adapter.cancel(remote_id, prepared)
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.CANCELED


async def test_contract_cancel_after_the_end_changes_nothing(bench):
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
    await wait_for(adapter, remote_id, prepared)
    await adapter.cancel(remote_id, prepared)
    assert (await adapter.poll(remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_contract_a_fresh_adapter_finds_and_finishes_what_another_submitted(bench):
    order = bench.make_order("job-1")
    remote_id, prepared = await accepted(bench.make_adapter(), order)
    fresh = bench.make_adapter()
    assert await fresh.find("job-1", prepared, SINCE) == remote_id
    assert (await wait_for(fresh, remote_id, prepared)).state is RemoteState.SUCCEEDED
    into = bench.tmp_path / "out"
    into.mkdir()
    bench.check_output(await fresh.collect(remote_id, prepared, into), order, into)


async def test_contract_find_doesnt_see_what_was_only_prepared(bench):
    adapter = bench.make_adapter()
    prepared = await adapter.prepare(bench.make_order("job-1"))
    assert await adapter.find("job-1", prepared, SINCE) is None
    await adapter.cleanup(None, prepared)


@pytest.mark.parametrize("marker", ["never-submitted", "../..", ""])
async def test_contract_find_of_an_unknown_marker_is_none(bench, marker):
    adapter = bench.make_adapter()
    prepared = await adapter.prepare(bench.make_order("job-1"))
    assert await adapter.find(marker, prepared, SINCE) is None


@pytest.mark.parametrize("remote_id", ["unknown-id", "../..", "", "a/b"])
async def test_contract_an_unknown_id_is_not_found(bench, remote_id):
    adapter = bench.make_adapter()
    prepared = await adapter.prepare(bench.make_order("job-1"))
    with pytest.raises(NotFound):
        await adapter.poll(remote_id, prepared)
    with pytest.raises(NotFound):
        await adapter.collect(remote_id, prepared, bench.tmp_path)


async def test_contract_a_job_that_was_cleaned_up_is_not_found(bench):
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_long_order("job-1"))
    await adapter.cleanup(remote_id, prepared)
    with pytest.raises(NotFound):
        await adapter.poll(remote_id, prepared)


async def test_contract_a_job_without_result_is_not_collected(bench):
    adapter = bench.make_adapter()
    with bench.busy():
        remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
        with pytest.raises(ProviderError):
            await adapter.collect(remote_id, prepared, bench.tmp_path)


async def test_contract_unfit_orders_are_refused_with_advice(bench):
    adapter = bench.make_adapter()
    for order in bench.unfit_orders():
        with pytest.raises(Refused) as refused:
            await adapter.prepare(order)
        assert str(refused.value).endswith(".")
        assert refused.value.advice.endswith(".")


def of_pictures(bench):
    order = bench.make_order("job-1")
    if isinstance(order, TrainingOrder):
        pytest.skip("it trains: its orders bring no LoRA")
    return order


async def test_contract_as_many_loras_go_in_as_are_declared_and_no_more(bench):
    adapter, order = bench.make_adapter(), of_pictures(bench)
    extra = [ExtraLora(lora=order.lora, strength=order.strength)] * adapter.capabilities.max_loras
    with pytest.raises(Refused) as refused:
        await adapter.prepare(replace(order, extra_loras=extra))
    assert refused.value.advice.endswith(".")
    fitting = replace(order, extra_loras=extra[1:])
    remote_id, prepared = await accepted(adapter, fitting)
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED
    into = bench.tmp_path / "out"
    into.mkdir()
    bench.check_output(await adapter.collect(remote_id, prepared, into), fitting, into)


async def test_contract_loras_of_two_base_models_are_refused(bench):
    adapter, order = bench.make_adapter(), of_pictures(bench)
    stranger = next(base for base in BaseModelName if base is not order.lora.base_model)
    other = replace(order.lora, base_model=stranger)
    with pytest.raises(Refused):
        await adapter.prepare(replace(order, extra_loras=[ExtraLora(lora=other, strength=order.strength)]))


async def test_contract_a_negative_prompt_is_refused_where_none_is_declared(bench):
    adapter, order = bench.make_adapter(), of_pictures(bench)
    for base in adapter.capabilities.base_models - adapter.capabilities.negative_prompts:
        asking = replace(order, lora=replace(order.lora, base_model=base), negative_prompt="blurry")
        with pytest.raises(Refused) as refused:
            await adapter.prepare(asking)
        assert "negative prompt" in str(refused.value)


async def test_contract_logs_hold_neither_prompt_nor_trigger_word(bench, caplog):
    caplog.set_level(logging.DEBUG)
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
    await wait_for(adapter, remote_id, prepared)
    await adapter.cleanup(remote_id, prepared)
    assert PROMPT not in caplog.text
    assert TRIGGER_WORD not in caplog.text


async def test_contract_check_says_in_one_line_that_it_can_be_used(bench):
    health = await bench.make_adapter().check()
    assert health.ok
    assert health.detail
    assert "\n" not in health.detail


async def test_contract_estimate_is_sane(bench):
    adapter = bench.make_adapter()
    small, large = (estimated(adapter, make("job-1")) for make in (bench.make_order, bench.make_long_order))
    assert 0 <= small.low_usd <= small.high_usd
    assert 0 < small.minutes <= large.minutes
    assert small.basis


async def test_contract_capabilities_are_sane(bench):
    adapter = bench.make_adapter()
    can = adapter.capabilities
    limits = [value for value in vars(can).values() if isinstance(value, Limits)]
    assert limits
    assert all(limit.default in limit for limit in limits)
    assert can.base_models
    assert 0 < can.poll_seconds < can.max_run_seconds
    assert can.settle_seconds >= 0
    assert "\n" not in can.notice
    assert adapter.name
    assert adapter.title


async def submitted_with(bench, fault, order):
    skip_where_not_applicable(bench, fault)
    adapter = bench.make_adapter()
    prepared = await adapter.prepare(order)
    await bench.inject(fault)
    with pytest.raises(ProviderError) as raised:
        await adapter.submit(order, prepared)
    return raised.value, prepared


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.UNREACHABLE, Unavailable),
        (Fault.BAD_KEY, BadCredentials),
        (Fault.NO_CREDIT, OutOfCredit),
        (Fault.REFUSED, Refused),
        (Fault.RATE_LIMITED, RateLimited),
    ],
)
async def test_contract_a_paid_call_that_was_surely_not_accepted_says_so(bench, fault, kind):
    error, _ = await submitted_with(bench, fault, bench.make_order("job-1"))
    assert type(error) is kind
    assert bench.accepted_jobs == 0
    assert fault is not Fault.RATE_LIMITED or error.retry_after == RETRY_AFTER


@pytest.mark.parametrize(
    "fault",
    [
        Fault.BROKEN_AFTER_ACCEPTING,
        Fault.SILENT_AFTER_ACCEPTING,
        Fault.CUT_AFTER_ACCEPTING,
        Fault.UNREADABLE_AFTER_ACCEPTING,
    ],
)
async def test_contract_a_paid_call_without_a_clear_answer_is_unsure_and_found(bench, fault):
    order = bench.make_order("job-1")
    error, prepared = await submitted_with(bench, fault, order)
    assert type(error) is SubmitUnsure
    assert bench.accepted_jobs == 1
    fresh = bench.make_adapter()
    if fresh.capabilities.findable:
        remote_id = await fresh.find("job-1", prepared, SINCE)
        assert (await wait_for(fresh, remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_contract_a_read_is_tried_again(bench):
    skip_where_not_applicable(bench, Fault.BUSY_READ)
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
    await bench.inject(Fault.BUSY_READ)
    assert (await adapter.poll(remote_id, prepared)).state is not None


async def test_contract_an_unknown_status_is_passed_on_and_not_interpreted(bench):
    skip_where_not_applicable(bench, Fault.UNKNOWN_STATUS)
    adapter = bench.make_adapter()
    remote_id, prepared = await accepted(adapter, bench.make_order("job-1"))
    await bench.inject(Fault.UNKNOWN_STATUS)
    seen = await adapter.poll(remote_id, prepared)
    assert seen.state is None
    assert seen.raw_state
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_contract_a_truncated_download_is_broken_and_can_be_repeated(bench):
    skip_where_not_applicable(bench, Fault.TRUNCATED_DOWNLOAD)
    adapter, order = bench.make_adapter(), bench.make_order("job-1")
    remote_id, prepared = await accepted(adapter, order)
    await wait_for(adapter, remote_id, prepared)
    into = bench.tmp_path / "out"
    into.mkdir()
    await bench.inject(Fault.TRUNCATED_DOWNLOAD)
    with pytest.raises(ArtifactBroken):
        await adapter.collect(remote_id, prepared, into)
    assert not [path for path in into.rglob("*") if path.is_file()]
    bench.check_output(await adapter.collect(remote_id, prepared, into), order, into)


async def test_contract_a_webhook_is_a_hint_only_when_it_is_surely_the_provider_s(bench):
    adapter = bench.make_adapter()
    if not isinstance(adapter, HearsWebhooks):
        pytest.skip("this adapter's provider sends no webhooks")
    remote_id, _ = await accepted(adapter, bench.make_order("job-1"))
    headers, body = bench.webhook(remote_id)
    first, second = [await adapter.parse_webhook(headers, body) for _ in range(2)]
    assert first.remote_id == remote_id
    assert first.delivery_id == second.delivery_id
    for forged in (body + b" ", body.replace(remote_id.encode(), b"x" * len(remote_id)), b""):
        with pytest.raises(WebhookRejected):
            await adapter.parse_webhook(headers, forged)
    for name in headers:
        with pytest.raises(WebhookRejected):
            await adapter.parse_webhook({k: v for k, v in headers.items() if k != name}, body)


async def test_contract_secrets_are_in_no_log_error_or_repr(bench, caplog):
    skip_where_not_applicable(bench, Fault.REFUSED)
    caplog.set_level(logging.DEBUG)
    order = bench.make_order("job-1")
    error, prepared = await submitted_with(bench, Fault.REFUSED, order)
    adapter = bench.make_adapter()
    remote_id = await adapter.submit(order, prepared)
    await wait_for(adapter, remote_id, prepared)
    into = bench.tmp_path / "out"
    into.mkdir()
    await adapter.collect(remote_id, prepared, into)
    assert bench.secrets
    for told in (caplog.text, str(error), repr(error), error.advice, repr(adapter), repr(vars(adapter))):
        for secret in (*bench.secrets, PROMPT, TRIGGER_WORD):
            assert secret not in told
