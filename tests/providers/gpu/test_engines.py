"""What the engines are told, what is heard from them, and what is believed of what they leave."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from playground.ai_toolkit import KNOWN
from playground.ai_toolkit import parser_of as run_py_parser
from playground.engine_goods import MODULES, lora_bytes
from playground.engine_script import Trouble
from playground.sd_scripts import OPTIONS, parser_of
from providers.base import LoraFormat
from providers.gpu.agent.engines import ENGINES, ai_toolkit, engine_for, sd_scripts
from providers.gpu.agent.engines.bars import read_bar
from providers.gpu.agent.engines.lora_file import PUBLIC_METADATA, NoLora, make_public, read_header
from providers.gpu.agent.engines.symptoms import symptom, why
from providers.gpu.agent.engines.toml_text import toml
from providers.gpu.agent.job import (
    BAD_RESULT,
    DISK_FULL,
    ENGINE_FAILED,
    GATED_WEIGHTS,
    NAN_LOSS,
    NO_ENGINE,
    NO_IMAGES,
    NO_RESULT,
    OUT_OF_MEMORY,
    Spec,
    WorkFailed,
)
from providers.weights import inspect_weights
from tests.providers.gpu.engine_runs import TRIGGER_WORD, make_plan, make_spec, make_work, train

SIZES = [8, 12, 16, 24]


def told(command):
    """Return an option's value by its name, True for a flag."""
    words = {}
    for word in command.argv[3:]:
        if word.startswith("--"):
            words[word] = True
            last = word
        else:
            words[last] = word
    return words


# --- what they are told


@pytest.mark.parametrize("vram_gb", SIZES)
@pytest.mark.parametrize("base_model", sorted(sd_scripts.BASE_MODELS))
def test_sd_scripts_options_are_those_of_the_release(tmp_path, base_model, vram_gb):
    spec = make_spec(
        tmp_path,
        "sd-scripts",
        base_model=base_model,
        vram_gb=vram_gb,
        sample_prompts=["x"],
        sample_every=5,
        save_every=5,
    )
    command = engine_for(spec, make_work(tmp_path / "work")).prepare()
    script = command.argv[2]
    known = {**OPTIONS["options"], **OPTIONS["more"][script]}
    for option, value in told(command).items():
        assert option in known
        assert (known[option] == "flag") == (value is True), option
    parser_of(script).parse_args(command.argv[3:])


def test_sd_scripts_table_says_what_it_is_of():
    assert OPTIONS["version"] == "0.10.1"
    assert OPTIONS["commit"].startswith("48d368f")
    assert len(OPTIONS["options"]) == 193
    assert {script: len(more) for script, more in OPTIONS["more"].items()} == {
        "train_network.py": 0,
        "sdxl_train_network.py": 3,
        "flux_train_network.py": 22,
    }


@pytest.mark.parametrize("base_model", sorted(sd_scripts.BASE_MODELS))
def test_sd_scripts_dataset_has_no_key_that_the_release_refuses(tmp_path, base_model):
    spec = make_spec(tmp_path, "sd-scripts", base_model=base_model, resolution=768)
    work = make_work(tmp_path / "work")
    engine_for(spec, work).prepare()
    dataset = tomllib.loads((work.config / "dataset.toml").read_text())
    [one] = dataset["datasets"]
    [subset] = one["subsets"]
    assert set(dataset["general"]) <= set(OPTIONS["dataset"]["general"])
    assert set(one) <= set(OPTIONS["dataset"]["datasets"])
    assert set(subset) <= set(OPTIONS["dataset"]["subsets"])
    assert (one["resolution"], subset["image_dir"], subset["class_tokens"]) == (768, str(work.dataset), TRIGGER_WORD)


def test_sd_scripts_caption_options_go_with_cached_text_encoders(tmp_path):
    """`assert_extra_args` of flux_train_network.py refuses these together."""
    dataset = sd_scripts.dataset(make_plan(tmp_path, "sd-scripts"))
    forbidden = {"caption_dropout_rate", "token_warmup_step", "caption_tag_dropout_rate"}
    tables = [dataset["general"], dataset["datasets"][0], dataset["datasets"][0]["subsets"][0]]
    assert not any(forbidden & set(table) or table.get("shuffle_caption") for table in tables)


@pytest.mark.parametrize(("vram_gb", "swapped"), [(8, 28), (10, 28), (12, 16), (16, 8), (24, None), (80, None)])
def test_sd_scripts_swap_blocks_by_the_size_of_the_gpu(tmp_path, vram_gb, swapped):
    arguments = sd_scripts.arguments(make_plan(tmp_path, "sd-scripts", vram_gb=vram_gb))
    assert arguments.get("--blocks_to_swap") == swapped
    assert arguments["--fp8_base"] is True


def test_sd_scripts_repeat_photos_so_that_epochs_are_few(tmp_path):
    subset = sd_scripts.dataset(make_plan(tmp_path, "sd-scripts", steps=1000))["datasets"][0]["subsets"][0]
    assert subset["num_repeats"] == 34


def test_sd_scripts_operators_options_win_and_none_takes_one_away(tmp_path):
    options = {"optimizer_type": "AdamW", "--sdpa": None, "xformers": True, "gradient_checkpointing": False}
    arguments = sd_scripts.arguments(make_plan(tmp_path, "sd-scripts", options=options))
    assert arguments["--optimizer_type"] == "AdamW"
    assert arguments["--xformers"] is True
    assert {"--sdpa", "--gradient_checkpointing"} & set(arguments) == set()


def test_sd_scripts_operators_options_do_not_move_files(tmp_path):
    with pytest.raises(WorkFailed, match="--output_dir") as failed:
        sd_scripts.arguments(make_plan(tmp_path, "sd-scripts", options={"output_dir": "/"}))
    assert failed.value.code == NO_ENGINE


def test_sd_scripts_prompts_are_data_and_no_options(tmp_path):
    prompt = "a fox --w 9999 --n nothing"
    spec = make_spec(tmp_path, "sd-scripts", sample_prompts=[prompt], sample_every=5)
    work = make_work(tmp_path / "work")
    command = engine_for(spec, work).prepare()
    [told_prompt] = json.loads((work.config / "prompts.json").read_text())
    assert told_prompt["prompt"] == prompt
    assert told(command)["--sample_prompts"] == str(work.config / "prompts.json")


def keys_by_section(config):
    [process] = config["config"]["process"]
    [dataset] = process["datasets"]
    sections = {name: process[name] for name in ("network", "save", "train", "model", "sample")}
    return {"process": process, "datasets": dataset, **sections}


@pytest.mark.parametrize("vram_gb", SIZES)
@pytest.mark.parametrize("base_model", sorted(ai_toolkit.BASE_MODELS))
def test_ai_toolkit_keys_are_those_of_the_release(tmp_path, base_model, vram_gb):
    spec = make_spec(
        tmp_path, "ai-toolkit", base_model=base_model, vram_gb=vram_gb, sample_prompts=["x"], sample_every=5
    )
    work = make_work(tmp_path / "work")
    command = engine_for(spec, work).prepare()
    config = json.loads((work.config / "config.json").read_text())
    for section, table in keys_by_section(config).items():
        assert set(table) <= set(KNOWN["sections"][section]), section
    assert run_py_parser().parse_args(command.argv[3:]).config_file_list == [str(work.config / "config.json")]


def test_ai_toolkit_table_says_what_it_is_of():
    assert (KNOWN["version"], KNOWN["commit"][:7]) == ("0.12.26", "27a03a9")


def test_ai_toolkit_operators_options_go_into_their_section(tmp_path):
    options = {"train.optimizer": "prodigy", "model.quantize": None}
    process = ai_toolkit.config(make_plan(tmp_path, "ai-toolkit", options=options))["config"]["process"][0]
    assert process["train"]["optimizer"] == "prodigy"
    assert "quantize" not in process["model"]


@pytest.mark.parametrize(("wanted", "told"), [(None, 0.05), (0.0, 0.0), (0.3, 0.3)])
def test_ai_toolkit_leaves_captions_out_as_often_as_wanted(tmp_path, wanted, told):
    plan = replace(make_plan(tmp_path, "ai-toolkit"), caption_dropout=wanted)
    assert ai_toolkit.config(plan)["config"]["process"][0]["datasets"][0]["caption_dropout_rate"] == told


@pytest.mark.parametrize("option", ["optimizer", "meta.name", "train."])
def test_ai_toolkit_operators_option_without_a_section_is_refused(tmp_path, option):
    with pytest.raises(WorkFailed, match="such as train"):
        ai_toolkit.config(make_plan(tmp_path, "ai-toolkit", options={option: 1}))


def test_ai_toolkit_takes_nothing_that_its_loader_would_replace(tmp_path):
    spec = make_spec(tmp_path, "ai-toolkit", sample_prompts=["${HF_TOKEN} as a fox"], sample_every=5)
    with pytest.raises(WorkFailed, match="can't take"):
        engine_for(spec, make_work(tmp_path / "work")).prepare()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"base_model": "sketch"}, "sketch"),
        ({"vram_gb": 4}, "8 GB"),
        ({"weights": {}}, "model"),
        ({"weights": {"model": "/nowhere/model", "clip_l": "a", "t5xxl": "b", "ae": "c"}}, "not where they should be"),
        ({"engine_dir": "/nowhere"}, "not where it should be"),
        ({"steps": "many"}, "can't be read"),
    ],
)
def test_engine_says_why_it_cannot_start(tmp_path, engine, changes, part):
    with pytest.raises(WorkFailed, match=part) as failed:
        engine_for(make_spec(tmp_path, engine, **changes), make_work(tmp_path / "work")).prepare()
    assert failed.value.code == NO_ENGINE


@pytest.mark.parametrize("engine", ENGINES)
def test_engine_is_not_started_without_photos(tmp_path, engine):
    with pytest.raises(WorkFailed) as failed:
        engine_for(make_spec(tmp_path, engine), make_work(tmp_path / "work", photos=0)).prepare()
    assert failed.value.code == NO_IMAGES


def test_engine_that_nobody_knows_is_no_engine(tmp_path):
    with pytest.raises(WorkFailed) as failed:
        engine_for(Spec(marker="m", engine="abacus", recipe={}, settings={}), make_work(tmp_path))
    assert failed.value.code == NO_ENGINE


@pytest.mark.parametrize(
    "document",
    [
        {"text": 'quote " backslash \\ tab \t line \n bell \x07 delete \x7f 狐 🦊', "empty": ""},
        {"whole": -3, "big": 2**40, "real": 1e-05, "whole_real": 2.0, "yes": True, "no": False},
        {"list": [1, 2], "mixed": ["a", [True]], "none": []},
        {"table": {"inner": {"key with space": 1, "ключ": 2}}, "before": 1},
        {"general": {"a": 1}, "datasets": [{"b": 2, "subsets": [{"c": 3}, {"c": 4}]}, {"b": 5, "subsets": [{"c": 6}]}]},
    ],
)
def test_toml_is_read_back_as_it_was_written(document):
    assert tomllib.loads(toml(document)) == document


def test_toml_has_no_place_for_nothing():
    with pytest.raises(TypeError, match="NoneType"):
        toml({"a": None})


# --- what is heard


@pytest.mark.parametrize(
    ("line", "label", "step", "total", "eta", "loss"),
    [
        ("steps:   0%|          | 0/1000 [00:00<?, ?it/s]", "steps", 0, 1000, None, None),
        ("steps:  12%|█▏        | 120/1000 [01:23<11:07,  1.35it/s, avr_loss=0.123]", "steps", 120, 1000, 667, 0.123),
        (
            "steps:  12%|█▏        | 120/1000 [1:01:23<10:11:07,  1.35s/it, avr_loss=nan]",
            "steps",
            120,
            1000,
            36667,
            "nan",
        ),
        (
            "lora:  12%|█▏ | 120/1000 [01:23<11:07,  1.35it/s, lr: 1.0e-04 loss: 4.212e-01]",
            "lora",
            120,
            1000,
            667,
            0.4212,
        ),
        (
            "Caching latents to disk:  50%|█████     | 4/8 [00:02<00:02,  2.0it/s]",
            "Caching latents to disk",
            4,
            8,
            2,
            None,
        ),
        ("100%|██████████| 8/8 [00:02<00:00,  4.0it/s]", "", 8, 8, 0, None),
    ],
)
def test_bar_is_read(line, label, step, total, eta, loss):
    bar = read_bar(line)
    assert (bar.label, bar.step, bar.total, bar.eta_seconds) == (label, step, total, eta)
    assert bar.has_nan if loss == "nan" else bar.loss == loss


@pytest.mark.parametrize("line", ["", "epoch 1/3", "50% done", "x" * 5000, "steps: |" * 300])
def test_line_that_is_no_bar_is_none(line):
    assert read_bar(line) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_progress_is_the_trainings_own(tmp_path, engine):
    progress = train(tmp_path, engine, steps=20).heard
    steps = [heard.step for heard in progress if heard.phase == "training"]
    assert steps == sorted(steps)
    assert steps[-1] == 20
    assert all(heard.total == 20 for heard in progress if heard.phase == "training")
    losses = [heard.loss for heard in progress if heard.loss is not None]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]
    assert "loading the base model" in [heard.phase for heard in progress]


@pytest.mark.parametrize("engine", ENGINES)
def test_progress_is_not_that_of_other_bars(tmp_path, engine):
    heard = engine_for(make_spec(tmp_path, engine, steps=20), make_work(tmp_path / "work"))
    for bar in ("caching: 50%|█ | 10/20 [00:01<00:01, 1it/s]", "steps: 50%|█ | 4/8 [00:01<00:01, 1it/s]"):
        assert heard.hear(bar) is None


# --- what is believed


BOTH = [
    *(("sd-scripts", base) for base in sorted(sd_scripts.BASE_MODELS)),
    *(("ai-toolkit", base) for base in sorted(ai_toolkit.BASE_MODELS)),
]


@pytest.mark.parametrize(("engine", "base_model"), BOTH)
def test_training_leaves_a_lora(tmp_path, engine, base_model):
    made = train(tmp_path, engine, base_model=base_model).made
    kohya = engine == "sd-scripts" or base_model.startswith("sd")
    assert inspect_weights(Path(made.lora)).format is (LoraFormat.KOHYA if kohya else LoraFormat.DIFFUSERS)
    assert made.facts["loss"] < made.facts["first_loss"]
    assert made.samples == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_training_draws_and_keeps_what_is_wanted_on_the_way(tmp_path, engine):
    made = train(tmp_path, engine, sample_prompts=["a fox", "foxes"], sample_every=10, save_every=10).made
    assert len(made.samples) == 4
    assert all(Path(sample).read_bytes().startswith(b"\x89PNG") for sample in made.samples)
    assert len(list(Path(made.lora).parent.glob("lora?*0010.safetensors"))) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Trouble.OUT_OF_MEMORY, OUT_OF_MEMORY),
        (Trouble.GATED, GATED_WEIGHTS),
        (Trouble.NAN, NAN_LOSS),
        (Trouble.NO_FILE, NO_RESULT),
        (Trouble.CUT_FILE, BAD_RESULT),
        (Trouble.CRASH, ENGINE_FAILED),
        (Trouble.KILLED, OUT_OF_MEMORY),
        (Trouble.FULL_DISK, DISK_FULL),
    ],
)
def test_training_that_fails_says_why(tmp_path, engine, trouble, code):
    with pytest.raises(WorkFailed) as failed:
        train(tmp_path, engine, trouble, steps=40)
    assert failed.value.code == code
    assert "/" not in failed.value.hint
    assert TRIGGER_WORD not in failed.value.hint


@pytest.mark.parametrize("engine", ENGINES)
def test_training_that_fails_after_its_model_is_whole_has_a_model(tmp_path, engine):
    run = train(tmp_path, engine, Trouble.FAILS_AFTER_SAVING)
    assert run.exit_code == 1
    assert read_header(Path(run.made.lora))


@pytest.mark.parametrize("engine", ENGINES)
def test_metadata_tells_nothing_private(tmp_path, engine):
    # The operator's option makes sd-scripts write all that it knows.
    options = {"no_metadata": False} if engine == "sd-scripts" else {}
    path = Path(train(tmp_path, engine, options=options).made.lora)
    assert set(read_header(path)["__metadata__"]) <= PUBLIC_METADATA
    text = path.read_bytes()
    assert not any(
        word in text for word in (b"secret garden", TRIGGER_WORD.encode(), b"dataset", str(tmp_path).encode())
    )


def test_metadata_of_captions_is_taken_out_and_the_tensors_stay(tmp_path):
    path = tmp_path / "lora.safetensors"
    modules = MODULES["flux_train_network.py"]
    path.write_bytes(lora_bytes(modules, 4, {"ss_tag_frequency": "secret garden", "ss_network_dim": "4"}))
    before = inspect_weights(path)
    assert make_public(path) == {"ss_network_dim": "4"}
    assert b"secret" not in path.read_bytes()
    assert inspect_weights(path).tensors == before.tensors
    assert path.read_bytes().endswith(lora_bytes(modules, 4, {})[-200:])
    assert make_public(path) == {"ss_network_dim": "4"}


WHOLE = lora_bytes(MODULES["train_network.py"], 4, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no safetensors"),
        (b"\x00" * 100, "no safetensors"),
        (b"\x08" + b"\x00" * 7 + b"{broken}" + b"\x00" * 8, "header"),
        (b"\x08" + b"\x00" * 7 + b"[1, 2, 3" + b"\x00" * 8, "header"),
        (b"\x08" + b"\x00" * 7 + b"[1, 23] ", "header"),
        (b"\x08" + b"\x00" * 7 + b"{}      ", "no LoRA"),
        (WHOLE[:-2], "cut off"),
        (WHOLE + b"\x00\x00", "longer"),
        (WHOLE.replace(b'"data_offsets": [0, ', b'"data_offsets": [2, '), "follow each other"),
        (WHOLE.replace(b'"data_offsets"', b'"date_offsets"'), "header"),
    ],
)
def test_file_that_is_no_lora_is_not_believed(tmp_path, content, reason):
    path = tmp_path / "lora.safetensors"
    path.write_bytes(content)
    with pytest.raises(NoLora, match=reason):
        read_header(path)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate", OUT_OF_MEMORY),
        ("RuntimeError: CUDA error: out of memory", OUT_OF_MEMORY),
        ("torch.OutOfMemoryError: HIP out of memory.", OUT_OF_MEMORY),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:116] DefaultCPUAllocator: can't allocate memory", OUT_OF_MEMORY),
        ("RuntimeError: OOM during training step 3 times in a row, aborting training", OUT_OF_MEMORY),
        ("403 Client Error: Forbidden for url: https://huggingface.co/x/resolve/main/y", GATED_WEIGHTS),
        ("OSError: You are trying to access a gated repo.", GATED_WEIGHTS),
        ("No data found. Please verify arguments (train_data_dir must be the parent of folders", NO_IMAGES),
        ("AssertionError: no images found in /data", NO_IMAGES),
        ("RuntimeError: NaN detected in latents: /data/1.jpg", NAN_LOSS),
        ("OSError: [Errno 28] No space left on device", DISK_FULL),
        ("# OOM during training step, skipping batch 1/3 #", None),
        ("404 Client Error: Not Found for url: https://huggingface.co/x", None),
        ("saving checkpoint: /data/lora.safetensors", None),
    ],
)
def test_symptom_is_told_by_the_line(line, code):
    assert symptom(line) == code


def test_reason_holds_neither_paths_nor_what_was_quoted():
    tail = [
        "Traceback (most recent call last):",
        "ValueError: can't read 'a zxqfox caption' of /data/1.txt at all",
    ]
    failed = why(1, tail)
    assert failed.code == ENGINE_FAILED
    assert failed.hint == "The trainer stopped with an error: ValueError: can't read … of … at all"
