"""Whatever goes wrong with a machine: its job ends, its person is told why, and nothing of it is left over."""

import pytest

from tests.providers.gpu.faults import FAULTS
from tests.providers.gpu.yard_rails import opened_yard


@pytest.mark.parametrize("name", FAULTS)
async def test_fault_leaves_no_machine_over(name, tmp_path):
    fault = FAULTS[name]
    async with opened_yard(tmp_path, **fault.how) as yard:
        job = await fault.play(yard)
        assert (job.state, job.cleaned) == (fault.ends, True), job.failure
        assert fault.told in (job.failure.told if job.failure else "")
        assert len(yard.yard.built) == fault.machines
        assert await yard.left_over() == []
