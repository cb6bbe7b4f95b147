"""The lint finds each fault it is for, says where, and says nothing of a good dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pytest
from lerobot_core.types import Problem
from lerobot_storage_v3 import layout, parquet
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.findings import ranges
from lerobot_storage_v3.lint_values import outliers
from lerobot_storage_v3.verify import verify
from typer.testing import CliRunner

DATA = "data/chunk-000/file-000.parquet"
VIDEO = "videos/observation.images.front/chunk-000/file-000.mp4"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
Rewrite = Callable[[Path, Callable[[pa.Table], pa.Table]], None]


def found(root: Path, text: str, level: str = "error") -> Problem:
    """The one problem whose text holds `text`."""
    problems = verify(root)
    matching = [problem for problem in problems if text in problem.text]
    assert len(matching) == 1, problems
    assert matching[0].level == level
    return matching[0]


def put(name: str, values: Any) -> Callable[[pa.Table], pa.Table]:
    """Replace a column."""

    def change(table: pa.Table) -> pa.Table:
        field = table.schema.field(name)
        return table.set_column(table.column_names.index(name), field, pa.array(values, field.type))

    return change


def edited(name: str, how: Callable[[Any], None]) -> Callable[[pa.Table], pa.Table]:
    """Change some cells of a column."""

    def change(table: pa.Table) -> pa.Table:
        values = parquet.column(table, name).copy()
        how(values)
        return put(name, list(values))(table)

    return change


def test_good_datasets_pass(made: Any, golden: Path, make: Callable[..., Any]) -> None:
    for root in (made.root, golden, make(file_per_episode=True).root, make(as_images=True).root):
        assert verify(root) == []


def test_what_cannot_be_opened_is_a_problem(made: Any) -> None:
    (made.root / layout.INFO).unlink()
    (problem,) = verify(made.root)
    assert problem.level == "error"
    assert "repair" in problem.fix


def test_totals_that_do_not_add_up(made: Any) -> None:
    made.info.total_frames = 40
    layout.write_info(made.root, made.info)
    assert found(made.root, "total_frames is 40, there are 39").where == layout.INFO


def test_too_few_rows(made: Any) -> None:
    table = parquet.read(made.root / DATA, made.root)
    parquet.write(made.root / DATA, table.slice(0, 38))
    assert "repair" in found(made.root, "it has 38 rows, its episodes (0-2) have 39").fix


def test_a_missing_data_file(made: Any) -> None:
    (made.root / DATA).unlink()
    found(made.root, "is missing")


def test_wrong_bookkeeping(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, edited("index", lambda values: values.__setitem__(14, 99)))
    assert found(made.root, "wrong in episodes 1").where == f"{DATA}, index"


def test_times_that_drift(made: Any, rewrite: Rewrite) -> None:
    rewrite(
        made.root / DATA, edited("timestamp", lambda values: values.__setitem__(slice(12, 19), values[12:19] * 1.1))
    )
    problem = found(made.root, "off 10 rows a second in episodes 1")
    assert "delete" in problem.fix
    assert problem.fix.endswith("--episodes 1")


def test_tasks_that_do_not_match(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, edited("task_index", lambda values: values.__setitem__(slice(0, 12), 1)))
    assert found(made.root, "its rows say ['place'], meta/episodes says ['pick']").where == "episode 0, tasks"


def test_a_task_nobody_knows(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, edited("task_index", lambda values: values.__setitem__(20, 7)))
    found(made.root, "no such task in episodes 2")


def test_not_a_number(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, edited("action", lambda values: values.__setitem__((30, 1), np.nan)))
    assert found(made.root, "NaN or infinite in 1 rows of episodes 2").where == f"{DATA}, action"


def test_a_column_of_another_width(made: Any, rewrite: Rewrite) -> None:
    def narrow(table: pa.Table) -> pa.Table:
        values = parquet.column(table, "action")[:, :2]
        column = pa.array(list(values), pa.list_(pa.float32(), 2))
        return table.set_column(table.column_names.index("action"), "action", column)

    rewrite(made.root / DATA, narrow)
    found(made.root, "shape (2,), info.json says (3,)")


def test_a_dimension_that_never_changes(made: Any, rewrite: Rewrite) -> None:
    rewrite(made.root / DATA, edited("observation.state", lambda values: values.__setitem__((slice(None), 2), 4.0)))
    assert found(made.root, "grip.pos never changes", "warning").where == "observation.state"


def test_odd_episodes(make: Callable[..., Any], rewrite: Rewrite) -> None:
    made = make(lengths=(12,) * 11 + (90,), cameras=(), tasks=("pick",))
    times = np.linspace(0, 6, 12)
    calm = np.tile(np.stack([np.sin(times)] * 3, axis=1), (11, 1)).astype(np.float32)
    wild = np.full((90, 3), 40.0, np.float32)
    wild[1::2] *= -1
    rewrite(made.root / DATA, put("observation.state", list(np.concatenate([calm, wild]))))
    texts = {problem.text: problem for problem in verify(made.root)}
    assert any("unusual length (median 12 rows): episodes 11" in text for text in texts)
    assert "a jump in episodes 11" in texts


def test_frames_missing_at_the_end(make: Callable[..., Any]) -> None:
    short, made = make(lengths=(12, 7, 18)), make()
    (made.root / VIDEO).write_bytes((short.root / VIDEO).read_bytes())
    problem = found(made.root, f"18 frames for 20 rows in {VIDEO}")
    assert problem.where == "episode 2, observation.images.front"
    assert "--episodes 2" in problem.fix


def test_a_truncated_video(made: Any) -> None:
    path = made.root / VIDEO
    path.write_bytes(path.read_bytes()[:-3000])
    problems = [problem for problem in verify(made.root) if problem.level == "error"]
    assert any("truncated" in problem.text or "damaged" in problem.text for problem in problems)


@pytest.mark.parametrize("keep", [0, 200])
def test_a_video_that_is_none(made: Any, keep: int) -> None:
    path = made.root / VIDEO
    path.write_bytes(path.read_bytes()[:keep])
    found(made.root, "is damaged")


def test_a_video_of_another_rate(make: Callable[..., Any]) -> None:
    fast, made = make(fps=11), make()
    (made.root / VIDEO).write_bytes((fast.root / VIDEO).read_bytes())
    assert any("13 frames for 12 rows" in problem.text for problem in verify(made.root))


def test_a_video_that_drifts(made: Any) -> None:
    path = made.root / VIDEO
    with av.open(str(path)) as source, av.open(str(path.with_suffix(".new.mp4")), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None:
                # A thousandth slower: 20 rows later it is 2 ms off.
                packet.pts = packet.dts = round(packet.pts * 1.001)
                packet.stream = stream
                target.mux(packet)
    path.with_suffix(".new.mp4").replace(path)
    problem = found(made.root, "(fps drift)")
    assert problem.text.endswith("episodes 0-2")


def test_frames_that_belong_to_nobody(make: Callable[..., Any]) -> None:
    long, made = make(lengths=(12, 7, 24)), make()
    (made.root / VIDEO).write_bytes((long.root / VIDEO).read_bytes())
    assert "compact" in found(made.root, "4 of its 43 frames belong to no episode", "warning").fix


def test_a_picture_of_another_size(made: Any) -> None:
    made.info.features["observation.images.front"]["shape"] = [96, 64, 3]
    layout.write_info(made.root, made.info)
    found(made.root, "64x48 pixels, info.json says 64x96")


def test_a_frozen_camera(make: Callable[..., Any]) -> None:
    made = make(lengths=(60,))
    with av.open(str(made.root / VIDEO)) as moving:
        frames = [frame.to_ndarray(format="rgb24") for frame in moving.decode(video=0)]
    with av.open(str(made.root / VIDEO), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "12", "g": "2", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frames[min(index, 20)], format="rgb24")))
        container.mux(stream.encode(None))
    assert found(made.root, "stands still for 2 s or more", "warning").where == "observation.images.front"
    assert verify(made.root, decode=False) == []


def test_statistics_without_quantiles(made: Any) -> None:
    stats = layout.read_json(made.root / layout.STATS)
    del stats["action"]["q01"], stats["action"]["q99"]
    layout.write_json(made.root / layout.STATS, stats)
    assert "recompute-stats" in found(made.root, "action has no q01, q99", "warning").fix


def test_no_statistics(made: Any) -> None:
    (made.root / layout.STATS).unlink()
    found(made.root, "the file is missing", "warning")


def test_files_of_no_episode(made: Any) -> None:
    extra = made.root / "data" / "chunk-000" / "file-001.parquet"
    extra.write_bytes((made.root / DATA).read_bytes())
    assert found(made.root, "1 files belong to no episode").where == "data/chunk-000/file-001.parquet"


def test_rows_that_carry_flags(make: Callable[..., Any]) -> None:
    entry = {"dtype": "string", "shape": [1], "names": None}
    flags = "stale:front,rate:a.pos,rate:b.pos,ramp:a.pos"
    made = make(extra={"flags": (entry, lambda index: flags if index % 4 == 0 else "")})
    texts = [problem.text for problem in verify(made.root)]
    assert sorted(texts) == [
        "a camera gave no new picture in 25.6 % of the rows (stale)",
        "the safety filter slowed a joint down in 25.6 % of the rows (rate)",
    ]


def test_a_camera_slower_than_the_rows(make: Callable[..., Any]) -> None:
    entry = {"dtype": "float64", "shape": [1], "names": None}
    made = make(extra={"capture_time.front": (entry, lambda index: index / 8)})
    found(made.root, "8.0 pictures a second, rows are 10 a second", "warning")


def test_the_command_says_it_and_fails(made: Any) -> None:
    run = CliRunner().invoke
    good = run(app, ["verify", str(made.root), "--json"])
    assert good.exit_code == 0
    assert json.loads(good.stdout.splitlines()[-1]) == {"ok": True, "problems": []}
    (made.root / VIDEO).unlink()
    bad = run(app, ["verify", str(made.root), "--json"])
    assert bad.exit_code == 1
    answer = json.loads(bad.stdout.splitlines()[-1])
    assert answer["ok"] is False
    assert set(answer["problems"][0]) == {"level", "where", "text", "fix"}
    told = run(app, ["verify", str(made.root), "--quick"])
    assert told.exit_code == 1
    assert "1 errors, 0 warnings" in told.stdout


def test_a_warning_alone_does_not_fail(made: Any) -> None:
    (made.root / layout.STATS).unlink()
    assert CliRunner().invoke(app, ["verify", str(made.root)]).exit_code == 0


def test_ranges() -> None:
    assert ranges([9, 3, 7, 8, 7]) == "3,7-9"
    assert ranges([]) == ""


def test_outliers_need_company_and_distance() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 9.0])
    assert outliers(values, floor=0.01).tolist() == [7]
    assert outliers(values[1:], floor=0.01).tolist() == []
    assert outliers(values, floor=1.0).tolist() == []
