"""One gRPC stream on an HTTP/2 connection of its own: bytes in, bytes out, no IO (RFC 9113, and "gRPC over HTTP2").

Every process keeps such a stream to every other that it calls, and all their traffic goes over it, so a message on it must cost
little. Here it costs some ten microseconds; the connection speaks plain gRPC all the same, and each side works with a
gRPC library at the other.

    wire = ClientWire(path, authority, limit)  or  ServerWire(path, limit)
    wire.start()                    the connection's preface, and the client's request
    wire.receive(data) -> messages  what the other side sent, whole
    wire.send(message)              one message; it goes out as far as the other side's windows reach
    wire.finish(status, reason)     the stream's end
    wire.take_out() -> bytes        what is to be written to the socket now

`ended` says why nothing more comes. What breaks the rules raises `WireError`; `out` then holds what the other side is told.

This side opens its own windows as wide as they go: TCP holds a sender back, and those who use a wire bound what they have under
way.
"""

from __future__ import annotations

import abc
import struct
from collections import deque
from collections.abc import Sequence
from urllib.parse import quote, unquote

import hpack

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _PRIORITY, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _PING, _GOAWAY, _WINDOW_UPDATE, _CONTINUATION = range(10)
# Flags: END_STREAM and ACK are the same bit of different frames.
_END_STREAM = _ACK = 0x1
_END_HEADERS = 0x4
_PADDED = 0x8
_WITH_PRIORITY = 0x20
# Settings.
_HEADER_TABLE_SIZE, _ENABLE_PUSH, _MAX_CONCURRENT_STREAMS, _INITIAL_WINDOW_SIZE, _MAX_FRAME_SIZE = 1, 2, 3, 4, 5
# Error codes.
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 0, 1, 3, 6, 7, 8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 9, 11
_ERROR_NAMES = {
    0: "NO_ERROR", 1: "PROTOCOL_ERROR", 2: "INTERNAL_ERROR", 3: "FLOW_CONTROL_ERROR", 4: "SETTINGS_TIMEOUT",
    5: "STREAM_CLOSED", 6: "FRAME_SIZE_ERROR", 7: "REFUSED_STREAM", 8: "CANCEL", 9: "COMPRESSION_ERROR",
    10: "CONNECT_ERROR", 11: "ENHANCE_YOUR_CALM", 12: "INADEQUATE_SECURITY", 13: "HTTP_1_1_REQUIRED",
}  # fmt: skip

_WINDOW_FIRST = 65_535
_WINDOW_MAX = 2**31 - 1
# The other side's allowance is renewed when it has used up this much of it.
_WINDOW_RENEW = 2**30
# The largest frame that is taken; both sides may send up to 16 KiB unasked.
_FRAME_MAX = 256 * 1024
_FRAME_MAX_FIRST = 16 * 1024
_HEADER_BLOCK_MAX = 64 * 1024
# How much of our headers the other side need remember.
_HEADER_TABLE_MAX = 4096
_OUR_SETTINGS = (
    (_ENABLE_PUSH, 0), (_MAX_CONCURRENT_STREAMS, 1), (_INITIAL_WINDOW_SIZE, _WINDOW_MAX), (_MAX_FRAME_SIZE, _FRAME_MAX),
)  # fmt: skip
# The only stream that a client of ours opens.
_CLIENT_STREAM = 1

_FRAME_HEAD = struct.Struct(">HBBBI")
_MESSAGE_HEAD = struct.Struct(">BI")
_WORD = struct.Struct(">I")
_SETTING = struct.Struct(">HI")

# gRPC's status codes that are told here.
OK, UNIMPLEMENTED = 0, 12
Headers = Sequence[tuple[str, str]]


class WireError(Exception):
    """The other side broke the rules of HTTP/2 or gRPC; the connection is of no more use."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({_ERROR_NAMES[code]})")
        self.code = code


class Wire(abc.ABC):
    """What both ends share. `path` is that of the one method that is spoken."""

    # Whether this end closes the socket when the stream is over. The one that was asked leaves that to the other side: gRPC's own
    # implementation loses what it has not read yet when the socket closes behind a stream's end.
    closes_first: bool

    def __init__(self, path: str, message_bytes_max: int) -> None:
        # The other side has taken the stream, or asked for it.
        self.is_open = False
        # Why nothing more comes from the other side; None as long as it may.
        self.ended: str | None = None
        # Frames that answer the other side's own (of settings and pings), since the wire was made.
        self.answers = 0
        self._path = path
        # The one that is used; 0 as long as none is.
        self._stream = 0
        self._message_bytes_max = message_bytes_max
        self._out: list[bytes | memoryview] = []
        self._rest = b""
        self._expects_preface = b""
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(max_header_list_size=_HEADER_BLOCK_MAX)
        # The header block that CONTINUATION frames add to, the stream that it is of, and whether that ends with it.
        self._block: bytearray | None = None
        self._block_of = (0, False)
        # The message that is still to be completed, from its length on, and what it needs to be.
        self._partial = bytearray()
        self._needed = 0
        # Bytes taken since the other side's allowance was last renewed.
        self._taken = 0
        self._unsent: deque[bytes | memoryview] = deque()
        self._connection_window = _WINDOW_FIRST
        self._stream_window = _WINDOW_FIRST
        self._stream_window_first = _WINDOW_FIRST
        self._frame_max = _FRAME_MAX_FIRST
        # This side has ended the stream; the other side has cut it off.
        self._is_finished = False
        self._is_reset = False

    @property
    def is_clear(self) -> bool:
        """Whether all that was to be sent has gone out: the other side's windows hold nothing back."""
        return not self._unsent

    def take_out(self) -> bytes:
        """What is to be written to the socket now, in order; it is written once."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def send(self, message: bytes) -> None:
        """Sends one message, as far as the other side's windows reach; the rest follows when they open."""
        self._unsent.append(_MESSAGE_HEAD.pack(0, len(message)) + message)
        self._pump()

    def ping(self) -> None:
        """Asks for a sign of life: `receive` will be called."""
        self._frame(_PING, 0, 0, b"tenuto??")

    def receive(self, data: bytes) -> list[bytes]:
        """Takes bytes from the socket; returns the messages that they complete. Raises WireError, and the wire is broken."""
        messages: list[bytes] = []
        if self.ended is not None:
            return messages
        try:
            self._rest = self._take_frames(self._rest + data if self._rest else data, messages)
        except WireError as error:
            self._frame(_GOAWAY, 0, 0, _WORD.pack(self._stream) + _WORD.pack(error.code))
            self.ended = str(error)
            raise
        return messages

    def _take_frames(self, data: bytes, messages: list[bytes]) -> bytes:
        """Takes the whole frames of `data`; returns what is left."""
        at = 0
        if self._expects_preface:
            if not data.startswith(_PREFACE[: len(data)]):
                raise WireError(PROTOCOL_ERROR, "the preface of HTTP/2 is missing")
            if len(data) < len(_PREFACE):
                return data
            at, self._expects_preface = len(_PREFACE), b""
        size = len(data)
        while size - at >= _FRAME_HEAD.size and self.ended is None:
            high, low, kind, flags, stream = _FRAME_HEAD.unpack_from(data, at)
            length = high << 8 | low
            if length > _FRAME_MAX:
                raise WireError(FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            end = at + _FRAME_HEAD.size + length
            if end > size:
                break
            self._take_frame(kind, flags, stream & _WINDOW_MAX, data[at + _FRAME_HEAD.size : end], messages)
            at = end
        return data[at:]

    def _take_frame(self, kind: int, flags: int, stream: int, payload: bytes, messages: list[bytes]) -> None:
        if self._block is not None and kind != _CONTINUATION:
            raise WireError(PROTOCOL_ERROR, "a header block is interrupted")
        if kind == _DATA:
            self._take_data(flags, stream, payload, messages)
        elif kind in (_HEADERS, _CONTINUATION):
            self._take_block(kind, flags, stream, payload)
        elif kind == _SETTINGS:
            self._take_settings(flags, payload)
        elif kind == _PING:
            if not flags & _ACK:
                self._answer(_PING, payload)
        elif kind == _WINDOW_UPDATE:
            self._widen(stream, _word(payload) & _WINDOW_MAX)
        elif kind == _RST_STREAM:
            if stream == self._stream:
                self._is_reset = True
                self.ended = f"the other side ended the stream: {_error_name(payload, 0)}"
        elif kind == _GOAWAY:
            self._take_goaway(payload)
        elif kind == _PUSH_PROMISE:
            raise WireError(PROTOCOL_ERROR, "a pushed stream")

    def _take_goaway(self, payload: bytes) -> None:
        # Without an error, and with our stream among those it serves, the other side only takes no further ones.
        if _error_name(payload, 4) != _ERROR_NAMES[NO_ERROR] or _word(payload[:4]) & _WINDOW_MAX < self._stream:
            detail = payload[8:200].decode("utf-8", "replace")
            self.ended = f"the other side ended the connection: {_error_name(payload, 4)} {detail}".rstrip()

    @abc.abstractmethod
    def start(self) -> None:
        """Says what comes first."""

    @abc.abstractmethod
    def finish(self, status: int = OK, reason: str = "") -> None:
        """Ends the stream, and takes no more on this connection."""

    # Messages in.

    def _take_data(self, flags: int, stream: int, payload: bytes, messages: list[bytes]) -> None:
        self._taken += len(payload)
        if self._taken > _WINDOW_RENEW:
            for renewed in (0, self._stream):
                self._frame(_WINDOW_UPDATE, 0, renewed, _WORD.pack(self._taken))
            self._taken = 0
        if stream != self._stream or not self.is_open:
            # Of a stream that was refused: what is still under way is no mistake.
            return
        if flags & _PADDED:
            payload = _unpadded(payload)
        if self._partial:
            self._partial += payload
            if len(self._partial) >= self._needed:
                payload, self._partial = bytes(self._partial), bytearray()
                self._take_messages(payload, messages)
        elif payload:
            self._take_messages(payload, messages)
        if flags & _END_STREAM:
            self.ended = "the other side ended the stream"

    def _take_messages(self, data: bytes, messages: list[bytes]) -> None:
        at, size = 0, len(data)
        needed = _MESSAGE_HEAD.size
        while size - at >= _MESSAGE_HEAD.size:
            is_compressed, length = _MESSAGE_HEAD.unpack_from(data, at)
            if is_compressed:
                raise WireError(PROTOCOL_ERROR, "a compressed message, though no compression was agreed on")
            if length > self._message_bytes_max:
                raise WireError(
                    ENHANCE_YOUR_CALM, f"a message of {length} bytes; the limit is {self._message_bytes_max}"
                )
            needed = _MESSAGE_HEAD.size + length
            if size - at < needed:
                break
            messages.append(data[at + _MESSAGE_HEAD.size : at + needed])
            at += needed
            needed = _MESSAGE_HEAD.size
        if at < size:
            self._partial, self._needed = bytearray(data[at:]), needed

    # Headers in.

    def _take_block(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _HEADERS:
            if stream == 0:
                raise WireError(PROTOCOL_ERROR, "headers of no stream")
            if flags & _PADDED:
                payload = _unpadded(payload)
            self._block = bytearray(payload[5:] if flags & _WITH_PRIORITY else payload)
            self._block_of = (stream, bool(flags & _END_STREAM))
        elif self._block is None or stream != self._block_of[0]:
            raise WireError(PROTOCOL_ERROR, "a continuation of nothing")
        else:
            self._block += payload
        if len(self._block) > _HEADER_BLOCK_MAX:
            raise WireError(ENHANCE_YOUR_CALM, "headers are too large")
        if flags & _END_HEADERS:
            block, self._block = bytes(self._block), None
            try:
                headers = {str(name): str(value) for name, value in self._decoder.decode(block)}
            except (hpack.HPACKError, UnicodeDecodeError) as error:
                raise WireError(COMPRESSION_ERROR, f"headers cannot be read: {error}") from None
            self._take_headers(self._block_of[0], headers, self._block_of[1])

    @abc.abstractmethod
    def _take_headers(self, stream: int, headers: dict[str, str], is_last: bool) -> None:
        """A whole header block of a stream."""

    # Settings and windows.

    def _introduce(self) -> None:
        self._frame(_SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in _OUR_SETTINGS))
        self._frame(_WINDOW_UPDATE, 0, 0, _WORD.pack(_WINDOW_MAX - _WINDOW_FIRST))

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & _ACK:
            return
        if len(payload) % _SETTING.size:
            raise WireError(FRAME_SIZE_ERROR, "settings of a broken length")
        for name, value in _SETTING.iter_unpack(payload):
            if name == _INITIAL_WINDOW_SIZE:
                if value > _WINDOW_MAX:
                    raise WireError(FLOW_CONTROL_ERROR, "a window that is too wide")
                self._stream_window += value - self._stream_window_first
                self._stream_window_first = value
            elif name == _MAX_FRAME_SIZE:
                self._frame_max = min(value, _FRAME_MAX)
            elif name == _HEADER_TABLE_SIZE:
                self._encoder.header_table_size = min(value, _HEADER_TABLE_MAX)
        self._answer(_SETTINGS, b"")
        self._pump()

    def _widen(self, stream: int, by: int) -> None:
        if stream == 0:
            self._connection_window += by
        elif stream == self._stream:
            self._stream_window += by
        if max(self._connection_window, self._stream_window) > _WINDOW_MAX:
            raise WireError(FLOW_CONTROL_ERROR, "a window that is too wide")
        self._pump()

    # Out.

    def _pump(self) -> None:
        unsent = self._unsent
        while unsent and not self._is_finished:
            piece = unsent[0]
            room = min(self._connection_window, self._stream_window, self._frame_max)
            if room <= 0:
                return
            if len(piece) <= room:
                unsent.popleft()
            else:
                whole = memoryview(piece)
                piece, unsent[0] = whole[:room], whole[room:]
            self._connection_window -= len(piece)
            self._stream_window -= len(piece)
            self._frame(_DATA, 0, self._stream, piece)

    def _answer(self, kind: int, payload: bytes) -> None:
        self.answers += 1
        self._frame(kind, _ACK, 0, payload)

    def _send_headers(self, stream: int, headers: Headers, *, is_last: bool = False) -> None:
        flags = _END_HEADERS | (_END_STREAM if is_last else 0)
        self._frame(_HEADERS, flags, stream, self._encoder.encode(headers, huffman=False))

    def _reset(self, stream: int, code: int) -> None:
        self._frame(_RST_STREAM, 0, stream, _WORD.pack(code))

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes | memoryview) -> None:
        length = len(payload)
        self._out.append(_FRAME_HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream))
        self._out.append(payload)


class ClientWire(Wire):
    """The end that asks for the stream."""

    closes_first = True

    def __init__(self, path: str, authority: str, message_bytes_max: int) -> None:
        super().__init__(path, message_bytes_max)
        self._authority = authority
        self._stream = _CLIENT_STREAM

    def start(self) -> None:
        """The preface, the settings and the request."""
        self._out.append(_PREFACE)
        self._introduce()
        self._send_headers(self._stream, [
            (":method", "POST"), (":scheme", "http"), (":path", self._path), (":authority", self._authority),
            ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "tenuto"),
        ])  # fmt: skip

    def finish(self, status: int = OK, reason: str = "") -> None:
        """Nobody wants the stream any more."""
        if not self._is_finished:
            self._is_finished = True
            if self.ended is None:
                self._reset(self._stream, CANCEL)
            self._frame(_GOAWAY, 0, 0, _WORD.pack(0) + _WORD.pack(NO_ERROR))

    def _take_headers(self, stream: int, headers: dict[str, str], is_last: bool) -> None:
        if stream != self._stream:
            raise WireError(PROTOCOL_ERROR, f"headers of stream {stream}, which was never asked for")
        status = headers.get(":status", "200")
        if status != "200":
            self.ended = f"HTTP status {status}"
        elif is_last:
            reason = unquote(headers.get("grpc-message", "")) or "the other side ended the stream"
            self.ended = f"{reason} (status {headers.get('grpc-status', 'unknown')})"
        else:
            self.is_open = True


class ServerWire(Wire):
    """The end that is asked. It serves one stream, the first that asks for the path; further ones are refused."""

    closes_first = False

    def __init__(self, path: str, message_bytes_max: int) -> None:
        super().__init__(path, message_bytes_max)
        self._expects_preface = _PREFACE

    def start(self) -> None:
        """The settings."""
        self._introduce()

    def finish(self, status: int = OK, reason: str = "") -> None:
        """The stream's end, with a gRPC status; what the other side's windows held back is dropped."""
        if self._is_finished:
            return
        self._is_finished = True
        if self.is_open and self._unsent and not self._is_reset:
            # A status after half a message would be broken gRPC.
            self._reset(self._stream, CANCEL)
        elif self.is_open and not self._is_reset:
            self._send_headers(self._stream, _trailers(status, reason), is_last=True)
        self._frame(_GOAWAY, 0, 0, _WORD.pack(self._stream) + _WORD.pack(NO_ERROR))

    def _take_headers(self, stream: int, headers: dict[str, str], is_last: bool) -> None:
        if stream == self._stream:
            # Trailers of a request mean nothing here but its end.
            self.ended = "the other side ended the stream"
        elif headers.get(":path") != self._path:
            reason = f"unknown method {headers.get(':path', '')[:200]}"
            self._send_headers(stream, [*_RESPONSE, *_trailers(UNIMPLEMENTED, reason)], is_last=True)
        elif self.is_open:
            self._reset(stream, REFUSED_STREAM)
        else:
            self.is_open, self._stream = True, stream
            self._send_headers(self._stream, _RESPONSE)
            if is_last:
                self.ended = "the other side ended the stream"


_RESPONSE: Headers = ((":status", "200"), ("content-type", "application/grpc"))


def _trailers(status: int, reason: str) -> Headers:
    return [("grpc-status", str(status)), ("grpc-message", quote(reason, safe=" !#$&'()*+,/:;<=>?@[]^_`{|}~"))]


def _unpadded(payload: bytes) -> bytes:
    if not payload or payload[0] >= len(payload):
        raise WireError(PROTOCOL_ERROR, "more padding than frame")
    return payload[1 : len(payload) - payload[0]]


def _word(payload: bytes) -> int:
    if len(payload) != _WORD.size:
        raise WireError(FRAME_SIZE_ERROR, "a frame of a broken length")
    return int.from_bytes(payload, "big")


def _error_name(payload: bytes, at: int) -> str:
    code = _word(payload[at : at + 4])
    return _ERROR_NAMES.get(code, str(code))
