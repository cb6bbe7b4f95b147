"""The episode being recorded: its rows, its journal, and one track of packets for each camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from .codecs import Codec
from .durability import DurableFile
from .encoder import CameraEncoder, VideoPacket
from .faults import NONE, Faults
from .journal import JOURNAL, Journal
from .layout import MIB, Info
from .ring import Window, cut
from .rows import Image, Row
from .save import Take, pictures_name, video_name
from .sinks import PictureSink, Sink, VideoSink, read_pictures
from .stage import Stage
from .stats import PictureStats


class Track:
    """One camera: frames go in, packets go to a file, or are held while there is none.

    Attributes:
        held: packets nobody has written yet, oldest first.
        weight: their bytes.
    """

    def __init__(self, encoder: CameraEncoder) -> None:
        self.stats, self.held, self.weight = PictureStats(), deque[VideoPacket](), 0
        self.encoder = encoder
        self._sink: Sink | None = None

    def add(self, image: Image | None) -> None:
        """One picture, or None for the last one again."""
        if image is None:
            self.stats.repeat()
            self._take(self.encoder.repeat())
        else:
            self.stats.add(image)
            self._take(self.encoder.encode(image))

    def _take(self, packets: Sequence[VideoPacket]) -> None:
        for packet in packets:
            if self._sink is not None:
                self._sink.add(packet)
            else:
                self.held.append(packet)
                self.weight += packet.size

    def begin(self, sink: Sink) -> None:
        """Write to `sink` from now on, what is held first."""
        self._sink, held = sink, list(self.held)
        self.held.clear()
        self.weight = 0
        self._take(held)

    def forget(self, first: int) -> None:
        """Drop held packets before frame `first`."""
        dropped = 0
        while self.held and (self.held[0].pts or 0) < first:
            self.weight -= self.held.popleft().size
            dropped += 1
        self.stats.forget(dropped)

    def begin_flush(self) -> None:
        """Let the disk begin with what is written so far."""
        if self._sink is not None:
            self._sink.file.begin_flush()

    def close(self) -> DurableFile:
        """End the file.

        Raises:
            RuntimeError: it does not have one frame for each picture.
        """
        self._take(self.encoder.flush())
        if self._sink is None or self._sink.frames != len(self.stats):
            frames = self._sink.frames if self._sink is not None else 0
            raise RuntimeError(f"{len(self.stats)} pictures went in, {frames} frames came out of the encoder")
        return self._sink.close()

    def abandon(self) -> None:
        """Close what is open, as it is."""
        if self._sink is not None:
            self._sink.abandon()

    @property
    def bytes(self) -> int:
        """Bytes in the file."""
        return self._sink.file.size if self._sink is not None else 0


class Recording:
    """Lives on the storage's worker thread.

    Args:
        stage: its folder, made when the first row is to be kept.
        shapes: (H, W, C) by image key.
        window: keep only so much, in memory, until `commit`; None writes every row through.
    """

    def __init__(
        self,
        stage: Stage,
        shapes: Mapping[str, Sequence[int]],
        codec: Codec,
        fps: int,
        faults: Faults = NONE,
        window: Window | None = None,
    ) -> None:
        self.stage, self.rows = stage, list[Row]()
        self._faults, self._window, self._first = faults, window, 0
        self._video, self._fps = codec.is_video, fps
        self._journal: Journal | None = None
        self.tracks = {
            key: Track(CameraEncoder(codec, shape[0], shape[1], fps, faults)) for key, shape in shapes.items()
        }

    def is_full(self, info: Info) -> bool:
        """True when one of its files has the size the format wants files to have."""
        pictures = [track.bytes for track in self.tracks.values()]
        rows = (self._journal.size if self._journal is not None else 0) + (0 if self._video else sum(pictures))
        videos = max(pictures, default=0) if self._video else 0
        return videos >= info.video_files_size_in_mb * MIB or rows >= info.data_files_size_in_mb * MIB

    def add(self, row: Row, images: Sequence[Image | None]) -> None:
        """One row and a picture for each camera; None repeats that camera's last one."""
        if self._window is None and self._journal is None:
            self.commit()
        self.rows.append(row)
        for track, image in zip(self.tracks.values(), images, strict=True):
            track.add(image)
        if self._journal is not None:
            self._journal.add(row)
            if len(self.rows) % self._fps == 0:  # once a second
                self._begin_flush()
        elif self._window is not None:
            self._trim(self._window)

    def _begin_flush(self) -> None:
        for track in self.tracks.values():
            track.begin_flush()

    def _trim(self, window: Window) -> None:
        first = cut([*self.tracks.values()], self._first, len(self.rows), window)
        del self.rows[: first - self._first]
        for track in self.tracks.values():
            track.forget(first)
        self._first = first

    def hold(self, window: Window) -> None:
        """Keep only so much from now on; an episode that is being written through stays as it is."""
        if self._journal is None:
            self._window = window

    def commit(self) -> None:
        """Everything held becomes the beginning of the episode on disk, and rows are written through from now on."""
        if self._journal is not None:
            return
        self._window = None
        self.stage.create()
        self._journal = Journal(self.stage.path(JOURNAL), [*self.tracks], self._faults)
        for row in self.rows:
            self._journal.add(row)
        for key, track in self.tracks.items():
            track.begin(self._new_sink(key, track))

    def _new_sink(self, key: str, track: Track) -> Sink:
        if self._video:
            return VideoSink(self.stage.path(video_name(key)), track.encoder, self._first, self._faults)
        return PictureSink(self.stage.path(pictures_name(key)), self._faults)

    def end(self, outcome: str) -> None:
        """Note in the journal that the episode is complete, should it be a repair that saves it."""
        if self._journal is not None:
            self._journal.end(outcome)

    def close(self) -> list[DurableFile]:
        """End every file; returns the videos, which are still to be flushed."""
        files = [track.close() for track in self.tracks.values()]
        if self._journal is not None:
            self._journal.close()
        return files if self._video else []

    def take(self, outcome: str) -> Take:
        """The closed episode, to be saved."""
        pictures = {key: track.stats.finish() for key, track in self.tracks.items()}
        names = [] if self._video else list(self.tracks)
        images = {key: list(read_pictures(self.stage.path(pictures_name(key)))) for key in names}
        return Take(self.stage, self.rows, pictures, images, outcome)

    def abandon(self) -> None:
        """Let go of the files and leave them as they are, for a repair to find."""
        for track in self.tracks.values():
            track.abandon()
        if self._journal is not None:
            self._journal.close()

    def discard(self) -> None:
        """Forget the episode and remove what was written of it."""
        self.abandon()
        if self._journal is not None:
            self.stage.remove()
