"""Golden bytes: what an older robot or server sent is read for ever, and what is sent now is what they read."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.types import ActionChunk, Feature, Guide
from lerobot_inference_remote.wire import bodies, handshake, header, keys, pictures, tensors
from lerobot_inference_remote.wire.errors import WireError
from lerobot_inference_remote.wire.header import Header, Kind

JOINTS = {"a.pos": Feature(unit="deg"), "b.pos": Feature(unit="deg")}


def test_header_bytes() -> None:
    made = Header(Kind.OBSERVATION, 0x0123456789ABCDEF, 7, 3, -2, header.FIRST)
    assert made.pack().hex() == "0100010103000000efcdab89674523010700000000000000feffffffffffffff"
    assert len(made.pack()) == header.SIZE == 32
    assert header.unpack(made.pack()) == made


def test_an_answer_repeats_what_was_asked() -> None:
    asked = Header(Kind.OBSERVATION, 9, 8, 7, 6, header.FIRST)
    assert asked.answer(Kind.CHUNK) == Header(Kind.CHUNK, 9, 8, 7, 6, 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "header size"),
        (b"", "header size"),
        (bytes(31), "header size"),
        (bytes(33), "header size"),
        (bytes(32), "schema"),
        (b"\x02\x00" + bytes(30), "schema"),
        (b"\x01\x00\x09" + bytes(29), "kind"),
    ],
)
def test_other_headers_are_refused(data: bytes | None, code: str) -> None:
    with pytest.raises(WireError) as refused:
        header.unpack(data)
    assert refused.value.code == code


def observation() -> bodies.ObservationBody:
    guide = Guide(1, 4, "LINEAR", 5.0, ("a.pos", "b.pos"), np.array([[1, 2], [3, 4]], np.float32))
    state = tensors.pack(np.array([1.5, -2.0]))
    picture = pictures.pack(np.arange(12, dtype=np.uint8).reshape(2, 2, 3), pictures.RAW)
    return bodies.ObservationBody(state, {"front": picture}, "wave", 0.25, bodies.guide_body(guide))


GOLDEN_OBSERVATION = (
    "85a5737461746583a56474797065a33c6638a573686170659102a464617461c410000000000000f83f00000000000000c0a870696374757265"
    "7381a566726f6e7483a5636f646563a3726177a57368617065930202 03a464617461c40c000102030405060708090a0ba47461736ba477617665"
    "a3616765cb3fd0000000000000a5677569646586a564656c617901a7686f72697a6f6e04a87363686564756c65a64c494e454152aa6d61785f77"
    "6569676874cb4014000000000000a56e616d657392a5612e706f73a5622e706f73a7616374696f6e7383a56474797065a33c6634a57368617065"
    "920202a464617461c4100000803f000000400000404000008040"
).replace(" ", "")


def test_observation_bytes() -> None:
    assert bodies.encode(observation()).hex() == GOLDEN_OBSERVATION
    read = bodies.decode(bytes.fromhex(GOLDEN_OBSERVATION), bodies.ObservationBody, 1000)
    seen = bodies.values(read, ("a.pos", "b.pos"), {"front": (2, 2, 3)})
    assert (seen["a.pos"], seen["b.pos"], read.task, read.age) == (1.5, -2.0, "wave", 0.25)
    assert seen["front"].tobytes() == bytes(range(12))
    guide = bodies.guide_of(read.guide, JOINTS)
    assert guide is not None
    assert (guide.delay, guide.horizon, guide.schedule, guide.max_weight, guide.model) == (1, 4, "LINEAR", 5.0, None)
    np.testing.assert_array_equal(guide.actions, [[1, 2], [3, 4]])


GOLDEN_CHUNK = (
    "86a56e616d657391a5612e706f73a7616374696f6e7383a56474797065a33c6634a57368617065920201a464617461c4080000003f0000c03f"
    "a56d6f64656c83a56474797065a33c6634a57368617065920201a464617461c408000080bf00000000"
    "a964 65636f64655f6d73cb3ff0000000000000a8696e6665725f6d73cb4034000000000000aa7375706572736564656402"
).replace(" ", "")


def test_chunk_bytes() -> None:
    model = np.array([[-1], [0]], np.float32)
    chunk = ActionChunk(("a.pos",), np.array([[0.5], [1.5]], np.float32), model)
    made = bodies.chunk_body(chunk, decode_ms=1.0, infer_ms=20.0, superseded=2)
    assert bodies.encode(made).hex() == GOLDEN_CHUNK
    read = bodies.chunk_of(bodies.decode(bytes.fromhex(GOLDEN_CHUNK), bodies.ChunkBody, 1000))
    assert read.names == ("a.pos",)
    np.testing.assert_array_equal(read.actions, chunk.actions)
    np.testing.assert_array_equal(read.model, model)


def test_fields_of_a_later_version_are_ignored() -> None:
    raw = msgspec.msgpack.decode(bytes.fromhex(GOLDEN_CHUNK)) | {"colour": ["later", {"than": 1}]}
    assert bodies.decode(msgspec.msgpack.encode(raw), bodies.ChunkBody, 1000).names == ["a.pos"]


def test_fields_an_earlier_version_does_not_send_have_defaults() -> None:
    reply = bodies.decode(msgspec.msgpack.encode({"accepted": True}), handshake.OpenReply, 100)
    assert (reply.session, reply.cameras, reply.retry) == (0, {}, False)


def test_the_newest_schema_of_both_is_spoken() -> None:
    assert handshake.common_schema((1, 3), (2, 5)) == 3
    assert handshake.common_schema((1, 1), (2, 5)) is None


def test_red_is_red_on_the_other_side() -> None:
    """A silent swap of red and blue would poison every answer; JPEG and pixels alike, and not only with our reader."""
    import io

    from PIL import Image

    image = np.zeros((32, 48, 3), np.uint8)
    image[:, :16, 0] = image[:, 16:32, 1] = image[:, 32:, 2] = 255
    for quality in (pictures.RAW, 90):
        found = pictures.unpack(pictures.pack(image, quality), image.shape)
        for place, channel in ((8, 0), (24, 1), (40, 2)):
            assert found[16, place].argmax() == channel
            assert found[16, place].max() > 200
    stranger = Image.open(io.BytesIO(pictures.pack(image, 90).data)).convert("RGB").getpixel((8, 16))
    assert stranger[0] > 200 > 60 > stranger[2]  # type: ignore[index]


def test_pixels_arrive_as_they_were() -> None:
    image = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    np.testing.assert_array_equal(pictures.unpack(pictures.pack(image, pictures.RAW), image.shape), image)


@pytest.mark.parametrize(
    "picture",
    [
        pictures.Picture("raw", (2, 2, 3), bytes(11)),
        pictures.Picture("raw", (4, 4, 3), bytes(48)),
        pictures.Picture("jpeg", (2, 2, 3), b""),
        pictures.Picture("jpeg", (2, 2, 3), b"\xff\xd8\xff" + bytes(100)),
        pictures.Picture("jpeg", (2, 2, 3), pictures.pack(np.zeros((64, 64, 3), np.uint8), 90).data),
    ],
)
def test_pictures_that_are_not_as_agreed_are_refused(picture: pictures.Picture) -> None:
    with pytest.raises(WireError):
        pictures.unpack(picture, (2, 2, 3))


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    import struct

    data = bytearray(pictures.pack(np.zeros((8, 8, 3), np.uint8), 90).data)
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 60000, 60000)
    with pytest.raises(WireError):
        pictures.unpack(pictures.Picture("jpeg", (8, 8, 3), bytes(data)), (8, 8, 3))


@pytest.mark.parametrize(
    "tensor",
    [
        tensors.Tensor("<f4", [2], bytes(7)),
        tensors.Tensor("<f4", [-2], bytes(8)),
        tensors.Tensor("<f4", [2, 1], bytes(8)),
        tensors.Tensor("|O", [1], bytes(8)),
        tensors.Tensor("<f4", [2**40], bytes(8)),
        tensors.Tensor(">f4", [2], bytes(8)),
    ],
)
def test_arrays_that_do_not_add_up_are_refused(tensor: tensors.Tensor) -> None:
    with pytest.raises(WireError):
        tensors.unpack(tensor, 1)


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
def test_every_float_survives(numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)
    again = bodies.decode(bodies.encode(tensors.pack(array)), tensors.Tensor, 1000)
    assert tensors.unpack(again, 1).tobytes() == array.tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_state_that_is_no_number_is_refused(value: float) -> None:
    body = bodies.ObservationBody(tensors.pack(np.array([value])))
    with pytest.raises(WireError):
        bodies.values(body, ("a.pos",), {})


def test_a_message_over_the_limit_is_not_read() -> None:
    with pytest.raises(WireError, match="too large"):
        bodies.decode(bytes(1001), bodies.ChunkBody, 1000)


@given(st.text(min_size=1))
def test_any_name_is_one_chunk_of_a_key(name: str) -> None:
    import zenoh

    chunk = keys.segment(name)
    expression = zenoh.KeyExpr(keys.RobotKeys(chunk, chunk).observations)
    assert str(expression) == f"@lerobot/{chunk}/{chunk}/obs"
    assert not {*chunk} & {*"/*$?#@"}


def test_different_names_have_different_keys() -> None:
    names = ["a b", "a%20b", "a/b", "a_b", "ä", "a?", "A", "a"]
    assert len({keys.segment(name) for name in names}) == len(names)
    with pytest.raises(ValueError, match="empty"):
        keys.segment("")


def test_no_strangers_wildcard_sees_these_keys() -> None:
    import zenoh

    robot = zenoh.KeyExpr(keys.RobotKeys("m", "r").observations)
    assert not zenoh.KeyExpr("**").intersects(robot)
    assert not zenoh.KeyExpr("@lerobot/m/*/alive").intersects(zenoh.KeyExpr(keys.ServerKeys("m", "x").alive))


def test_a_token_is_proven_without_being_sent() -> None:
    challenge = bytes(16)
    made = handshake.proof("secret", challenge, "r", "n")
    assert made != handshake.proof("secret", challenge, "r2", "n") != handshake.proof("other", challenge, "r", "n")
    assert b"secret" not in made


def test_units_and_shapes_that_there_are_not_are_refused() -> None:
    for body in (handshake.FeatureBody(unit="furlong"), handshake.FeatureBody(shape=(1, 2)), handshake.FeatureBody(shape=(0, 1, 3))):  # fmt: skip
        with pytest.raises(WireError):
            handshake.features_of({"a": body})
    assert handshake.features_of(handshake.to_wire(JOINTS)) == JOINTS
