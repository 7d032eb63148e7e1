"""The protocol of a stream between services, without sockets. tests/integration/transport/test_foreign_streams.py lets gRPC's own
implementation speak with it."""

from __future__ import annotations

import contextlib
import struct

import hpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto_server.transport import http2
from tenuto_server.transport.http2 import ClientWire, ServerWire, WireError

PATH = "/some.Service/Method"
LIMIT = 8 * 1024 * 1024
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
REQUEST = [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "x"), ("te", "trailers")]


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def frames(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each; a client's preface is left out."""
    found = []
    data = data.removeprefix(PREFACE)
    while data:
        length = int.from_bytes(data[:3], "big")
        kind, flags, stream = struct.unpack_from(">BBI", data, 3)
        found.append((kind, flags, stream, data[9 : 9 + length]))
        data = data[9 + length :]
    return found


def sent(data: bytes, kind: int) -> list[bytes]:
    """The payloads of the frames of one kind."""
    return [payload for each, _, _, payload in frames(data) if each == kind]


def message(body: bytes) -> bytes:
    return b"\0" + struct.pack(">I", len(body)) + body


def block(headers: list[tuple[str, str]]) -> bytes:
    return hpack.Encoder().encode(headers)


def read_headers(data: bytes) -> list[dict[str, str]]:
    decoder = hpack.Decoder()
    return [{str(name): str(value) for name, value in decoder.decode(payload)} for payload in sent(data, HEADERS)]


def opened() -> tuple[ClientWire, ServerWire]:
    """Both ends of a stream that is open, with nothing left to say."""
    client, server = ClientWire(PATH, "there:1", LIMIT), ServerWire(PATH, LIMIT)
    client.start()
    server.start()
    exchange(client, server)
    assert client.is_open
    assert server.is_open
    return client, server


def asked(first: bytes = b"") -> ServerWire:
    """A server whose client, with settings `first`, has asked for the stream; what it said to that is taken."""
    server = ServerWire(PATH, LIMIT)
    server.start()
    server.receive(PREFACE + frame(SETTINGS, 0, 0, first) + frame(HEADERS, 4, 1, block(REQUEST)))
    server.take_out()
    return server


def exchange(client: ClientWire, server: ServerWire, size: int = 1 << 30) -> tuple[list[bytes], list[bytes]]:
    """Carries all bytes between them, `size` at a time; returns the messages that the client and the server got."""
    got: tuple[list[bytes], list[bytes]] = ([], [])
    ends: list[tuple[http2.Wire, http2.Wire, list[bytes]]] = [(client, server, got[1]), (server, client, got[0])]
    moved = True
    while moved:
        moved = False
        for giver, taker, messages in ends:
            data = giver.take_out()
            moved = moved or bool(data)
            for at in range(0, len(data), size):
                messages += taker.receive(data[at : at + size])
    return got


@given(
    st.lists(st.binary(max_size=300) | st.integers(0, 700_000).map(bytes), max_size=6),
    st.lists(st.binary(max_size=300), max_size=6),
    st.sampled_from([1, 7, 1000, 70_000, 1 << 30]),
)
@settings(max_examples=60, deadline=None)
def test_messages_arrive_whole_and_in_order_however_they_are_cut(up: list[bytes], down: list[bytes], size: int) -> None:
    client, server = opened()
    if size < 1000:
        up = [each[:5000] for each in up]
    for each in up:
        client.send(each)
    for each in down:
        server.send(each)
    assert exchange(client, server, size) == (down, up)
    assert client.is_clear
    assert server.is_clear


def test_what_is_sent_before_the_other_side_spoke_keeps_to_the_first_windows() -> None:
    client, server = ClientWire(PATH, "there:1", LIMIT), ServerWire(PATH, LIMIT)
    client.start()
    client.send(b"x" * 200_000)
    early = client.take_out()
    assert sum(map(len, sent(early, DATA))) == 65_535
    assert max(map(len, sent(early, DATA))) == 16_384
    assert not client.is_clear
    server.start()
    assert server.receive(early) == []
    assert exchange(client, server) == ([], [b"x" * 200_000])
    assert client.is_clear


def test_a_sender_keeps_to_both_windows_and_to_the_size_of_frames() -> None:
    server = asked(struct.pack(">HI", 4, 10))  # INITIAL_WINDOW_SIZE
    server.send(b"a" * 25)
    assert b"".join(sent(server.take_out(), DATA)) == message(b"a" * 25)[:10]
    # A window may shrink below nothing: then more than that has to be given first.
    server.receive(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 5)))
    server.receive(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 5)))
    assert sent(server.take_out(), DATA) == []
    server.receive(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 15)))
    assert b"".join(sent(server.take_out(), DATA)) == message(b"a" * 25)[10:25]
    server.receive(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1_000_000)))
    server.take_out()
    # The connection's is the other bound: 65,535 less the 30 sent.
    server.send(b"b" * 100_000)
    assert sum(map(len, sent(server.take_out(), DATA))) == 65_505
    server.receive(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1_000_000)))
    rest = server.take_out()
    assert sum(map(len, sent(rest, DATA))) == 100_005 - 65_505
    assert max(map(len, sent(rest, DATA))) == 16_384
    assert server.is_clear


def test_the_other_sides_allowance_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2, "_WINDOW_RENEW", 1000)
    server = asked()
    for _ in range(3):
        server.receive(frame(DATA, 0, 1, message(b"x" * 600)))
    updates = [(stream, payload) for kind, _, stream, payload in frames(server.take_out()) if kind == WINDOW_UPDATE]
    assert updates == [(0, struct.pack(">I", 1210)), (1, struct.pack(">I", 1210))]


def test_pings_and_settings_are_answered_and_counted() -> None:
    server = asked()
    before = server.answers
    server.receive(frame(PING, 0, 0, b"12345678") + frame(PING, 1, 0, b"87654321") + frame(SETTINGS, 1, 0, b""))
    assert frames(server.take_out()) == [(PING, 1, 0, b"12345678")]
    server.receive(frame(SETTINGS, 0, 0, b""))
    assert frames(server.take_out()) == [(SETTINGS, 1, 0, b"")]
    assert server.answers == before + 2
    server.ping()
    assert [kind for kind, *_ in frames(server.take_out())] == [PING]


def test_padding_priorities_and_continuations_are_understood() -> None:
    server = ServerWire(PATH, LIMIT)
    headers = block(REQUEST)
    first = b"\x03" + b"\0\0\0\0\x10" + headers[:7] + b"..."
    server.receive(PREFACE[:10])
    server.receive(PREFACE[10:] + frame(HEADERS, 0x8 | 0x20, 1, first) + frame(CONTINUATION, 0, 1, headers[7:9]))
    assert not server.is_open
    server.receive(frame(CONTINUATION, 4, 1, headers[9:]))
    assert server.is_open
    padded = frame(DATA, 0x8, 1, b"\x02" + message(b"abc")[:6] + b"__") + frame(DATA, 0x8, 1, b"\0" + message(b"abc")[6:])
    assert server.receive(padded) == [b"abc"]
    # Frames of kinds that nobody knows are left out.
    assert server.receive(frame(0xBE, 0xFF, 1, b"?") + frame(DATA, 0, 1, message(b""))) == [b""]


def test_a_request_for_another_method_is_told_so_and_the_next_is_served() -> None:
    server = ServerWire(PATH, LIMIT)
    encoder = hpack.Encoder()
    other = [(name, "/other/Metho%d" if name == ":path" else value) for name, value in REQUEST]
    server.receive(PREFACE + frame(HEADERS, 4, 1, encoder.encode(other)) + frame(DATA, 1, 1, message(b"?")))
    answer = server.take_out()
    assert read_headers(answer) == [{
        ":status": "200", "content-type": "application/grpc", "grpc-status": "12",
        "grpc-message": "unknown method /other/Metho%25d",
    }]  # fmt: skip
    assert not server.is_open
    assert server.receive(frame(HEADERS, 4, 3, encoder.encode(REQUEST)) + frame(DATA, 0, 3, message(b"!"))) == [b"!"]
    assert server.is_open
    server.take_out()
    server.send(b"yes")
    assert frames(server.take_out()) == [(DATA, 0, 3, message(b"yes"))]
    # One at a time.
    server.receive(frame(HEADERS, 4, 5, encoder.encode(REQUEST)))
    assert frames(server.take_out()) == [(RST_STREAM, 0, 5, struct.pack(">I", 7))]
    assert server.ended is None


def test_a_server_ends_a_stream_with_a_status() -> None:
    client, server = opened()
    server.send(b"last")
    server.finish(14, "näh: 100 %")
    server.finish(0, "not twice")
    assert exchange(client, server) == ([b"last"], [])
    assert client.ended == "näh: 100 % (status 14)"


def test_a_server_that_may_not_send_the_rest_ends_the_stream_without_a_status() -> None:
    server = asked(struct.pack(">HI", 4, 10))
    server.send(b"x" * 100)
    server.finish(0)
    server.receive(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1000)))
    out = frames(server.take_out())
    assert [kind for kind, *_ in out] == [DATA, RST_STREAM, GOAWAY]
    assert len(out[0][3]) == 10


def test_a_client_that_wants_no_more_says_so() -> None:
    client, server = opened()
    client.finish()
    client.finish()
    exchange(client, server)
    assert server.ended == "the other side ended the stream: CANCEL"
    assert client.ended is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(DATA, 1, 1, message(b"bye")), "the other side ended the stream"),
        (frame(HEADERS, 5, 1, block([("some", "trailer")])), "the other side ended the stream"),
        (frame(RST_STREAM, 0, 1, struct.pack(">I", 2)), "the other side ended the stream: INTERNAL_ERROR"),
        (frame(RST_STREAM, 0, 1, struct.pack(">I", 99)), "the other side ended the stream: 99"),
        (frame(GOAWAY, 0, 0, struct.pack(">II", 1, 11) + b"too_many_pings"),
         "the other side ended the connection: ENHANCE_YOUR_CALM too_many_pings"),
        (frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)), "the other side ended the connection: NO_ERROR"),
        (frame(GOAWAY, 0, 0, struct.pack(">II", 2**31 - 1, 0)), None),
        (frame(RST_STREAM, 0, 7, struct.pack(">I", 2)), None),
    ],
)  # fmt: skip
def test_the_other_sides_end_is_told_with_its_reason(data: bytes, reason: str | None) -> None:
    server = asked()
    server.receive(data)
    assert server.ended == reason
    assert server.receive(frame(DATA, 0, 1, message(b"late"))) == ([] if reason else [b"late"])


@pytest.mark.parametrize(
    ("headers", "last", "reason"),
    [
        ([(":status", "503")], True, "HTTP status 503"),
        ([(":status", "200"), ("grpc-status", "12"), ("grpc-message", "no%20way")], True, "no way (status 12)"),
        ([(":status", "200")], True, "the other side ended the stream (status unknown)"),
    ],
)
def test_a_client_that_is_refused_knows_why(headers: list[tuple[str, str]], last: bool, reason: str) -> None:
    client = ClientWire(PATH, "there:1", LIMIT)
    client.start()
    client.receive(frame(SETTINGS, 0, 0, b"") + frame(HEADERS, 5 if last else 4, 1, block(headers)))
    assert client.ended == reason
    assert not client.is_open


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x04\x00\x01" + bytes(6), http2.FRAME_SIZE_ERROR),
        (frame(DATA, 0, 1, b"\x01" + struct.pack(">I", 3) + b"abc"), http2.PROTOCOL_ERROR),
        (frame(DATA, 0, 1, b"\0" + struct.pack(">I", LIMIT + 1)), http2.ENHANCE_YOUR_CALM),
        (frame(DATA, 8, 1, b"\x05abc"), http2.PROTOCOL_ERROR),
        (frame(CONTINUATION, 4, 1, b""), http2.PROTOCOL_ERROR),
        (frame(HEADERS, 0, 3, b"") + frame(PING, 0, 0, bytes(8)), http2.PROTOCOL_ERROR),
        (frame(HEADERS, 4, 0, b""), http2.PROTOCOL_ERROR),
        (frame(HEADERS, 4, 3, b"\xff\xff\xff\xff\xff\xff"), http2.COMPRESSION_ERROR),
        (frame(HEADERS, 0, 3, bytes(40_000)) + frame(CONTINUATION, 0, 3, bytes(40_000)), http2.ENHANCE_YOUR_CALM),
        (frame(PUSH, 4, 1, bytes(8)), http2.PROTOCOL_ERROR),
        (frame(SETTINGS, 0, 0, b"12345"), http2.FRAME_SIZE_ERROR),
        (frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31)), http2.FLOW_CONTROL_ERROR),
        (frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1)), http2.FLOW_CONTROL_ERROR),
        (frame(WINDOW_UPDATE, 0, 0, b"123"), http2.FRAME_SIZE_ERROR),
        (frame(GOAWAY, 0, 0, b"123"), http2.FRAME_SIZE_ERROR),
    ],
)
def test_broken_rules_end_the_connection_and_the_other_side_is_told(data: bytes, code: int) -> None:
    server = asked()
    with pytest.raises(WireError) as caught:
        server.receive(data)
    assert caught.value.code == code
    assert server.ended == str(caught.value)
    assert frames(server.take_out())[-1][::3] == (GOAWAY, struct.pack(">II", 1, code))
    assert server.receive(frame(DATA, 0, 1, message(b"more"))) == []


def test_what_is_not_http2_is_refused_with_its_first_bytes() -> None:
    server = ServerWire(PATH, LIMIT)
    with pytest.raises(WireError, match="preface"):
        server.receive(b"GET / HTTP/1.1\r\n")
    client = ClientWire(PATH, "there:1", LIMIT)
    client.start()
    with pytest.raises(WireError):
        client.receive(frame(HEADERS, 4, 5, block([(":status", "200")])))


@given(st.binary(max_size=200), st.integers(0, 9), st.integers(0, 255), st.sampled_from([0, 1, 3]))
@settings(max_examples=400, deadline=None)
def test_no_bytes_raise_anything_else(junk: bytes, kind: int, flags: int, stream: int) -> None:
    client, server = opened()
    for wire in (client, server):
        with contextlib.suppress(WireError):
            wire.receive(frame(kind, flags, stream, junk) + junk)
            continue
        assert wire.ended is not None
