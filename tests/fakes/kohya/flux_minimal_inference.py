# ruff: noqa: T201 - a script speaks by printing
"""A stand-in for the script of this name in kohya-ss/sd-scripts v0.10.1 (2026-02-16): its options, its way of reading
prompts, its words and its file names, without a model.

A file `mood` beside it makes it go wrong. Four pictures take it until it is ended.
"""

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

MOOD = Path(__file__).with_name("mood")


def make_parser() -> argparse.ArgumentParser:
    """Return a parser with the options of the real one, all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ckpt_path", type=str, required=True)
    parser.add_argument("--model_type", type=str, choices=["flux", "chroma"], default="flux")
    for name in ("--clip_l", "--t5xxl", "--ae"):
        parser.add_argument(name, type=str, required=False)
    parser.add_argument("--apply_t5_attn_mask", action="store_true")
    parser.add_argument("--prompt", type=str, default="A photo of a cat")
    parser.add_argument("--output_dir", type=str, default=".")
    parser.add_argument("--dtype", type=str, default="bfloat16")
    for name in ("--clip_l_dtype", "--ae_dtype", "--t5xxl_dtype", "--flux_dtype", "--negative_prompt"):
        parser.add_argument(name, type=str, default=None)
    for name in ("--seed", "--steps"):
        parser.add_argument(name, type=int, default=None)
    parser.add_argument("--guidance", type=float, default=3.5)
    parser.add_argument("--cfg_scale", type=float, default=1.0)
    parser.add_argument("--lora_weights", type=str, nargs="*", default=[])
    for name in ("--offload", "--merge_lora_weights", "--interactive"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--width", type=int, default=1360)
    parser.add_argument("--height", type=int, default=768)
    return parser


def read_line(line: str) -> dict[str, str]:
    """Split a line into its prompt and its options, by their first letters."""
    prompt, *options = line.split("--")
    told = {"prompt": prompt.strip()}
    for option in options:
        name, value = option.strip()[:1], option.strip()[1:].strip()
        if name not in "whsdgmnc" or not name:
            print(f"Invalid option: {option}")
            continue
        told[name] = value
    return told


def main() -> None:
    args = make_parser().parse_args()
    mood = MOOD.read_text() if MOOD.exists() else ""
    for path in (args.ckpt_path, args.clip_l, args.t5xxl, args.ae, *(one.split(";")[0] for one in args.lora_weights)):
        if not Path(path).exists():
            raise FileNotFoundError(f"No such file or directory: {path}")
    print("get_preferred_device() -> cuda")
    print("Enter prompt (empty to exit). Options: --w <width> --h <height> --s <steps> --d <seed> --g <guidance>")
    if mood == "memory":
        raise MemoryError("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.")
    if mood == "wrong":
        raise ValueError("NaN in t5_out")
    lines = list(iter(input, ""))
    began = datetime.now(UTC)
    for number, line in enumerate(lines):
        draw(args, read_line(line), began + timedelta(seconds=number), last=number == len(lines) - 1, mood=mood)
    if len(lines) == 4:
        time.sleep(60)
    print("INFO     Done!")


def draw(args: argparse.Namespace, told: dict[str, str], at: datetime, *, last: bool, mood: str) -> None:
    print(f"INFO     Seed: {told['d']}")
    print("INFO     Generating image...")
    sys.stderr.write(f"\r  4%|▎         | 1/{told['s']} [00:01<00:33,  1.2s/it]")
    path = Path(args.output_dir) / f"{at:%Y%m%d_%H%M%S}.png"
    if mood == "cut" and last:
        path.write_bytes(b"\x89PNG")
        os.kill(os.getpid(), signal.SIGKILL)
    Image.new("RGB", (int(told["w"]), int(told["h"])), (int(told["d"]) % 256, 10, 10)).save(path)
    print(f"INFO     Saved image to {path}")


if __name__ == "__main__":
    main()
