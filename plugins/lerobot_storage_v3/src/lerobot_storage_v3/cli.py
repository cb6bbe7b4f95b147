"""`lr dataset`: look at, check, mend, publish and fetch datasets; `cli_edits` has the verbs that change them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from lerobot_core.errors import UsageError
from lerobot_core.types import Problem

from . import layout
from .cli_edits import edits
from .cli_parts import AsJson, Dataset, columns, emit, folder_size, megabytes, root_of, watching

app = typer.Typer(
    help="Look at, check, mend, edit, publish and fetch datasets.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(edits)


@app.command()
def info(dataset: Dataset, as_json: AsJson = False) -> None:
    """What is in a dataset: its size, its rate, its features."""
    root = root_of(dataset)
    found = layout.read_info(root)
    size = folder_size(root)
    if as_json:
        emit(found.to_json() | {"size": size})
        return
    seconds = found.total_frames / found.fps
    columns(
        [
            ("folder", str(root)),
            ("format", found.codebase_version),
            ("robot", found.robot_type or "unknown"),
            ("episodes", str(found.total_episodes)),
            ("tasks", str(found.total_tasks)),
            ("frames", f"{found.total_frames} at {found.fps} a second ({seconds / 60:.1f} min)"),
            ("size", megabytes(size)),
        ]
    )
    typer.echo("features")
    columns((f"  {key}", entry["dtype"], _shape(entry), _codec(entry)) for key, entry in found.features.items())


def _shape(entry: dict[str, Any]) -> str:
    return "x".join(str(length) for length in entry["shape"])


def _codec(entry: dict[str, Any]) -> str:
    return str((entry.get("info") or {}).get("video.codec", ""))


@app.command()
def show(
    dataset: Dataset,
    episode: Annotated[int | None, typer.Option(min=0, metavar="N", help="one episode, every joint over time")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the episode as a page that needs nothing else")
    ] = None,
) -> None:
    """Look at a dataset or an episode, in the terminal or as a page with its videos."""
    from lerobot_core.terminal import current

    from .reader import open_reader
    from .show import dataset_lines, episode_lines

    root = root_of(dataset)
    reader = open_reader(root)
    if episode is not None and episode >= len(reader.episodes):
        raise UsageError(f"there is no episode {episode}", f"the dataset has 0 to {len(reader.episodes) - 1}")
    if html is not None:
        from .page import episode_page

        html.write_text(episode_page(root, episode or 0), "utf-8")
        typer.echo(f"{html} ({megabytes(html.stat().st_size)})")
        return
    width, unicode = current().size[0], (sys.stdout.encoding or "").lower().startswith("utf")
    lines = dataset_lines(reader, width, unicode) if episode is None else episode_lines(reader, episode, width, unicode)
    for line in lines:
        typer.echo(line)


@app.command()
def verify(
    dataset: Dataset,
    quick: Annotated[bool, typer.Option("--quick", help="count frames, do not look at them")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for what a training run would stumble over or learn wrong; exit code 1 on any error."""
    from .verify import verify as check

    with watching() as watch:
        problems = check(root_of(dataset), decode=not quick, watch=watch)
    failed = any(problem.level == "error" for problem in problems)
    if as_json:
        emit({"ok": not failed, "problems": [asdict(problem) for problem in problems]})
    else:
        print_problems(problems)
        typer.echo(_verdict(problems))
    if failed:
        raise typer.Exit(1)


def print_problems(problems: Iterable[Problem]) -> None:
    """Each in one or two lines."""
    for problem in problems:
        typer.echo(f"{problem.level:<8}{problem.where}: {problem.text}")
        if problem.fix:
            typer.echo(f"{'':<8}{problem.fix}")


def _verdict(problems: list[Problem]) -> str:
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    return f"{errors} errors, {warnings} warnings" if problems else "ok"


@app.command()
def repair(dataset: Dataset, as_json: AsJson = False) -> None:
    """Bring back what a crash left of a dataset: every finished episode, and what was captured of the last one."""
    from .repair import repair as mend

    done = mend(root_of(dataset))
    if as_json:
        emit({"repaired": [asdict(problem) for problem in done]})
        return
    print_problems(done)
    typer.echo("repaired" if done else "nothing to repair")


@app.command()
def compact(dataset: Dataset, as_json: AsJson = False) -> None:
    """Merge the small files of single episodes up to the format's sizes, without encoding anything again."""
    from .compact import compact as merge

    summary = merge(root_of(dataset))
    if as_json:
        emit(summary)
        return
    columns((key, str(value)) for key, value in summary.items())


@app.command()
def stats(
    dataset: Dataset,
    feature: Annotated[str | None, typer.Option(metavar="KEY", help="only this one")] = None,
    as_json: AsJson = False,
) -> None:
    """The statistics a policy is normalised with."""
    from .reader import open_reader

    reader = open_reader(root_of(dataset))
    chosen = reader.stats if feature is None else {feature: reader.stats.get(feature)}
    missing = [key for key, value in chosen.items() if value is None]
    if missing:
        raise UsageError(f"no statistics on {missing[0]!r}", f"there are some on {', '.join(reader.stats)}")
    if as_json:
        emit({key: {stat: array.tolist() for stat, array in found.items()} for key, found in chosen.items() if found})
        return
    from .stats_table import rows

    columns(rows(reader, [key for key, found in chosen.items() if found]))


@app.command()
def push(
    dataset: Dataset,
    repo_id: Annotated[str | None, typer.Option(metavar="ORG/NAME", help="default: DATASET, where it is one")] = None,
    public: Annotated[bool, typer.Option("--public", help="everybody may read it; private otherwise")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent, send nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a dataset on the Hub, private unless told otherwise; run it again to go on after a stop."""
    from . import hub

    root, target = root_of(dataset), repo_id or dataset
    if repo_id is None and Path(dataset).exists():
        raise UsageError("push where?", f"{dataset} is a folder", f"lr dataset push {dataset} --repo-id ORG/NAME")
    plan = hub.push(root, target, private=not public, dry_run=dry_run)
    files = len(plan.files) + (plan.card is not None)
    if as_json:
        summary = {"repo_id": target, "url": plan.url, "private": plan.private, "files": files, "bytes": plan.size}
        emit(summary | {"pushed": not dry_run})
        return
    shown = "private" if plan.private else "public"
    verb = "would push" if dry_run else "pushed"
    typer.echo(f"{verb} {files} files, {megabytes(plan.size)}, to {plan.url} ({shown}, tag {plan.version})")


@app.command()
def pull(
    repo_id: Annotated[str, typer.Argument(metavar="ORG/NAME")],
    root: Annotated[Path | None, typer.Option(help="default $HF_LEROBOT_HOME/ORG/NAME")] = None,
    revision: Annotated[str | None, typer.Option(help="branch, tag or commit; default the newest v3")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a dataset from the Hub; run it again to go on after a stop."""
    from . import hub

    folder = hub.pull(repo_id, root, revision)
    if as_json:
        emit({"repo_id": repo_id, "root": str(folder), "bytes": folder_size(folder)})
        return
    typer.echo(f"{repo_id} is in {folder} ({megabytes(folder_size(folder))})")
