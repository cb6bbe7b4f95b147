"""The verbs of `lr dataset` that make another dataset out of one: beside it and swapped in, or at `--to`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from lerobot_core.errors import UsageError

from . import layout
from .cli_parts import AsJson, Dataset, emit, root_of, watching

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .edits.operations import Build

edits = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

To = Annotated[Path | None, typer.Option("--to", help="make a new dataset there; default: replace this one")]
Episodes = Annotated[str, typer.Option(metavar="LIST", help="for example 3,7-9")]
Codec = Annotated[str, typer.Option(help="auto, h264, hevc, av1, or an encoder's name")]
Crf = Annotated[int | None, typer.Option(min=0, max=63, help="quality, lower is better; default the codec's")]
Gop = Annotated[int, typer.Option(min=1, help="frames from one key frame to the next; 2 makes random reads fast")]


def _apply(dataset: str, to: Path | None, build: Build, as_json: bool) -> None:
    from .edits.operations import edit

    _told(edit(root_of(dataset), to, build), as_json)


def _told(root: Path, as_json: bool) -> None:
    info = layout.read_info(root)
    if as_json:
        emit({"root": str(root), "episodes": info.total_episodes, "frames": info.total_frames})
    else:
        typer.echo(f"{root}: {info.total_episodes} episodes, {info.total_frames} frames")


@edits.command()
def delete(dataset: Dataset, episodes: Episodes, to: To = None, as_json: AsJson = False) -> None:
    """Leave episodes out; without --to they are gone for good."""
    from .edits.choosing import parse_episodes
    from .edits.operations import keep

    root = root_of(dataset)
    total = layout.read_info(root).total_episodes
    gone = set(parse_episodes(episodes, total))
    with watching() as watch:
        _apply(dataset, to, lambda new: keep(root, new, [e for e in range(total) if e not in gone], watch), as_json)


@edits.command()
def split(
    dataset: Dataset,
    into: Annotated[list[str], typer.Option(metavar="NAME=PART", help="train=0.8 or val=8,9; once for each part")],
    to: Annotated[Path | None, typer.Option("--to", help="make TO_NAME; default DATASET_NAME beside it")] = None,
    as_json: AsJson = False,
) -> None:
    """Make several datasets out of one, by fractions or by episodes."""
    from .edits.choosing import parse_parts
    from .edits.operations import edit, keep

    root = root_of(dataset)
    parts = parse_parts(into, layout.read_info(root).total_episodes)
    base = to or root.resolve()
    made = {}
    for name, chosen in parts.items():
        with watching() as watch:
            target = base.with_name(f"{base.name}_{name}")
            made[name] = edit(root, target, lambda new, kept=chosen, seen=watch: keep(root, new, kept, seen))  # type: ignore[misc]
    if as_json:
        emit({"parts": {name: {"root": str(path), "episodes": parts[name]} for name, path in made.items()}})
        return
    for path in made.values():
        _told(path, as_json=False)


@edits.command()
def merge(
    target: Annotated[Path, typer.Argument(metavar="NEW", help="the folder to make")],
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET...", help="two or more, in this order")],
    as_json: AsJson = False,
) -> None:
    """Make one dataset out of several of the same robot."""
    from .edits.operations import edit
    from .edits.operations import merge as join

    if len(datasets) < 2:
        raise UsageError("nothing to merge", "give two datasets or more", f"lr dataset merge {target} A B")
    roots = [root_of(dataset) for dataset in datasets]
    with watching() as watch:
        _told(edit(roots[0], target, lambda new: join(roots, new, watch)), as_json)


@edits.command("add-feature")
def add_feature(
    dataset: Dataset,
    key: Annotated[str, typer.Argument(metavar="KEY")],
    values: Annotated[Path | None, typer.Option(metavar="FILE.npy", help="one row a frame of the dataset")] = None,
    constant: Annotated[float | None, typer.Option(help="the same number in every row")] = None,
    dtype: Annotated[str, typer.Option(help="float32, int64, bool, …")] = "float32",
    names: Annotated[str | None, typer.Option(metavar="A,B", help="of the columns")] = None,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Add a column to every row."""
    from .edits import operations

    root = root_of(dataset)
    array = _values(values, constant, dtype, layout.read_info(root).total_frames)
    shape = list(array.shape[1:]) or [1]
    entry = {"dtype": dtype, "shape": shape, "names": names.split(",") if names else None}
    with watching() as watch:
        _apply(dataset, to, lambda new: operations.add_feature(root, new, key, entry, array, watch), as_json)


def _values(file: Path | None, constant: float | None, dtype: str, frames: int) -> NDArray[Any]:
    import numpy as np

    if (file is None) == (constant is None):
        raise UsageError("which values?", "one of --values and --constant is needed")
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        raise UsageError(f"there is no dtype {dtype!r}", "", "--dtype float32, float64, int64 or bool") from error
    try:
        return np.full(frames, constant, kind) if file is None else np.load(file, allow_pickle=False).astype(kind)
    except (OSError, ValueError, TypeError, EOFError) as error:  # an empty file is an EOFError, Typer's word for Ctrl-D
        raise UsageError(
            f"cannot read values from {file or constant}", str(error), "np.save writes such a file"
        ) from error


@edits.command("remove-feature")
def remove_feature(
    dataset: Dataset,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...")],
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Leave features out: columns, videos and statistics."""
    from .edits.operations import remove_features

    root = root_of(dataset)
    with watching() as watch:
        _apply(dataset, to, lambda new: remove_features(root, new, keys, watch), as_json)


@edits.command("modify-tasks")
def modify_tasks(
    dataset: Dataset,
    task: Annotated[str | None, typer.Option(metavar="TEXT", help="the new instruction")] = None,
    episodes: Annotated[str | None, typer.Option(metavar="LIST", help="of these episodes; default all")] = None,
    replace: Annotated[list[str] | None, typer.Option(metavar="OLD=NEW", help="wherever OLD is; repeatable")] = None,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Change instructions: of all episodes, of some, or one text for another."""
    from .edits.choosing import parse_episodes
    from .edits.operations import retask

    if task is None and not replace:
        raise UsageError("which task?", "one of --task and --replace is needed", "for example --task 'stack the cups'")
    root = root_of(dataset)
    total = layout.read_info(root).total_episodes
    chosen = parse_episodes(episodes, total) if episodes else range(total)
    new_texts = {episode: task for episode in chosen} if task is not None else {}
    pairs = dict(_pair(word) for word in replace or ())
    with watching() as watch:
        _apply(dataset, to, lambda new: retask(root, new, new_texts, pairs, watch), as_json)


def _pair(word: str) -> tuple[str, str]:
    old, equals, new = word.partition("=")
    if not (old and equals and new):
        raise UsageError(f"{word!r} is no replacement", "it is OLD=NEW", "for example --replace 'pick=pick the cube'")
    return old, new


@edits.command()
def reencode(
    dataset: Dataset, codec: Codec = "auto", crf: Crf = None, gop: Gop = 2, to: To = None, as_json: AsJson = False
) -> None:
    """Encode every video anew, frame for frame."""
    from .edits.recode import reencode as encode

    root = root_of(dataset)
    with watching() as watch:
        _apply(dataset, to, lambda new: encode(root, new, codec, crf, gop, watch), as_json)


@edits.command("images-to-video")
def images_to_video(
    dataset: Dataset, codec: Codec = "auto", crf: Crf = None, gop: Gop = 2, to: To = None, as_json: AsJson = False
) -> None:
    """Turn pictures that are kept in the rows into videos."""
    from .edits import operations

    root = root_of(dataset)
    with watching() as watch:
        _apply(dataset, to, lambda new: operations.images_to_video(root, new, codec, crf, gop, watch), as_json)


@edits.command("recompute-stats")
def recompute_stats(
    dataset: Dataset,
    images: Annotated[bool, typer.Option("--images", help="of pictures too, which must be decoded")] = False,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Compute the statistics again from the rows, quantiles included."""
    from .edits.statistics import recompute

    root = root_of(dataset)
    with watching() as watch:
        _apply(dataset, to, lambda new: recompute(root, new, images, watch), as_json)


@edits.command()
def convert(dataset: Dataset, to: To = None, as_json: AsJson = False) -> None:
    """Bring a dataset of version 2.0 or 2.1 to version 3.0, without encoding anything again."""
    from .edits.convert import convert as bring
    from .edits.swap import creating, replacing

    root = root_of(dataset)
    with watching() as watch, replacing(root, older=True) if to is None else creating(to) as new:
        bring(root, new, watch)
    _told(to or root, as_json)
