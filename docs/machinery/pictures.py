"""The pictures of README and docs, made by the project itself: `python docs/machinery/pictures.py [record] [rollout]`, minutes.

Needs `lr` with lerobot-sim, lerobot-storage-v3, lerobot-strategy-sentry and lerobot-policy-demo, `script`, and chromium.
Nothing is drawn or written by hand: the rig is a frame of a recording, the page is what `lr dataset show` wrote, the live
view is what the terminal got.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import av
from PIL import Image
from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).resolve().parents[1] / "pictures"
RECORD = (
    'lr record --robot virtual_so100 --teleop scripted --task "put the cube in the bin" '
    "--dataset.root demo --dataset.num-episodes 1 --dataset.episode-time-s 20"
)
ROLLOUT = (
    "lr rollout --strategy sentry --robot virtual_so100 --policy demo --inference chunked "
    '--task "put the cube in the bin" --duration 60 --dataset.root out'
)
COLUMNS = 104
MOST_BYTES = 60_000


def rig(folder: Path, share: float) -> Image.Image:
    """The front camera's picture when `share` of the first episode has passed."""
    (video, *_) = sorted((folder / "videos" / "observation.images.front").rglob("*.mp4"))
    with av.open(str(video)) as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    return pictures[int(share * len(pictures))]


def page(folder: Path) -> Image.Image:
    """`lr dataset show --html` in a browser."""
    html, shot = folder.with_suffix(".html"), folder.with_suffix(".png")
    subprocess.run(["lr", "dataset", "show", str(folder), "--episode", "0", "--html", str(html)], check=True)
    chromium = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    size = ["--window-size=1000,900", "--virtual-time-budget=4000"]
    subprocess.run([*chromium, *size, f"--screenshot={shot}", html.resolve().as_uri()], check=True)
    return Image.open(shot).convert("RGB")


def typed(command: str) -> str:
    """What a terminal got while `command` ran in it."""
    inner = f"stty cols {COLUMNS} rows 40; {command}"
    subprocess.run(["script", "-qec", inner, "typescript"], check=True, stdin=subprocess.DEVNULL)
    return Path("typescript").read_bytes().decode()


def live(command: str, written: str) -> str:
    """The command, the live region after two thirds of the run, and the end, as SVG."""
    *regions, last = re.split(r"\x1b\[\d+A\r?\x1b\[J", written)
    middle = regions[len(regions) * 2 // 3].strip()
    end = last[last.index("done:") : last.index("\nScript done")].strip()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for piece in (f"$ {command}", middle, "", end):
        console.print(Text.from_ansi(piece.replace("\r", "")))
    svg = console.export_svg(title="lr rollout")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # nothing is fetched from elsewhere


def keep(picture: Image.Image, name: str, width: int) -> None:
    """Save it as small as it has to be."""
    picture = picture.resize((width, picture.height * width // picture.width), Image.Resampling.LANCZOS)
    for quality in range(90, 20, -5):
        picture.save(PICTURES / name, quality=quality, optimize=True, progressive=True)
        if (PICTURES / name).stat().st_size < MOST_BYTES:
            return
    sys.exit(f"{name} does not get below {MOST_BYTES} bytes")


def main() -> None:
    """Record, run, and write docs/pictures: those named, else all."""
    wanted = set(sys.argv[1:]) or {"record", "rollout"}
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if "record" in wanted:
            subprocess.run(shlex.split(RECORD), check=True, stdin=subprocess.DEVNULL)
            keep(rig(Path("demo"), 0.6), "rig.jpg", 640)
            keep(page(Path("demo")), "dataset.jpg", 900)
        if "rollout" in wanted:
            (PICTURES / "rollout.svg").write_text(live(ROLLOUT, typed(ROLLOUT)), encoding="utf-8")


if __name__ == "__main__":
    main()
