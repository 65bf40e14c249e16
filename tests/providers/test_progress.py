import pytest

from providers.progress import bars, training_progress

LABELS = frozenset({"flux_train_replicate"})


@pytest.mark.parametrize(
    ("line", "step", "eta", "loss"),
    [
        ("flux_train_replicate:  12%|█▏        | 120/1000 [01:23<11:07,  1.35it/s, lr: 4.0e-04 loss: 3.1e-01]",
         120, 667.0, 0.31),
        ("steps:  50%|#####     | 500/1000 [1:02:03<1:02:04,  7.4s/it, avr_loss=0.0812]", 500, 3724.0, 0.0812),
        ("  0%|          | 0/1000 [00:00<?, ?it/s]", 0, None, None),
        ("100%|██████████| 1000/1000 [10:00<00:00,  1.6it/s]", 1000, 0.0, None),
    ],
)  # fmt: skip
def test_bars_reads_what_engines_print(line, step, eta, loss):
    [bar] = bars(f"something before\n{line}\r")
    assert (bar.step, bar.total, bar.eta_seconds, bar.loss) == (step, 1000, eta, loss)


def test_progress_takes_the_newest_state_of_the_trainer_s_own_bar():
    log = (
        "Caching latents: 100%|##| 1000/1000 [00:01<00:00, 3it/s]\n"
        "flux_train_replicate:  10%|#| 100/1000 [00:10<01:30, 10it/s]\r"
        "flux_train_replicate:  20%|##| 200/1000 [00:20<01:20, 10it/s]\r"
        "Saving: 100%|##| 4/4 [00:01<00:00, 3it/s]\n"
    )
    assert training_progress(log, total=1000, labels=LABELS).step == 200


@pytest.mark.parametrize(
    "log",
    [
        "",
        "no bar at all",
        "Caching: 40%|##  | 400/1000 [00:01<00:00, 3it/s]",
        "flux_train_replicate: 10%|#| 1/10 [00:10<01:30, 10it/s]",
        "flux_train_replicate: 200%|#| 2000/1000 [00:10<01:30, 10it/s]",
    ],
)
def test_progress_is_none_before_the_trainer_s_own_bar(log):
    assert training_progress(log, total=1000, labels=LABELS) is None


def test_progress_finds_the_bar_at_the_end_of_a_huge_log():
    noise = "x%|" * 400_000 + "\n" + "1%|" * 100_000 + "\n"
    log = noise + "flux_train_replicate:  20%|##| 200/1000 [00:20<01:20, 10it/s]"
    assert training_progress(log, total=1000, labels=LABELS).step == 200
