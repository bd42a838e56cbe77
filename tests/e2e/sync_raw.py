"""A WebSocket client of a few lines for what no honest client does, and messages of core/sync/PROTOCOL.md. It shares no
code with the library."""
import base64
import hashlib
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["GOAT_SOURCE"], "tests", "vectors"))
import goat_cbor  # noqa: E402

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HELLO, PROOF, BYE = 0, 1, 15
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Closed(Exception):
    """The other side has closed."""


def accepted(key):
    """What a server answers to a client's key."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()


class Raw:
    """A TCP connection, and what it becomes."""

    def __init__(self, port, seconds=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.data = b""

    @classmethod
    def over(cls, accepted):
        """The other end of one."""
        made = cls.__new__(cls)
        made.socket, made.data = accepted, b""
        accepted.settimeout(30)
        return made

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Closed
        self.data += piece

    def read(self, count):
        while len(self.data) < count:
            self.fill()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def rest(self):
        """Everything up to the end."""
        try:
            while True:
                self.fill()
        except Closed:
            return self.data

    def head(self):
        """An HTTP answer up to its empty line."""
        while b"\r\n\r\n" not in self.data:
            self.fill()
        text, _, self.data = self.data.partition(b"\r\n\r\n")
        return text.decode()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class WebSocket(Raw):
    def __init__(self, port, protocol="goat.sync.1", path="/", headers=(), seconds=30):
        super().__init__(port, seconds)
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        self.send("\r\n".join([*lines, *headers, "", ""]).encode())
        self.answer = self.head()
        self.status = int(self.answer.split()[1])
        self.is_open = self.status == 101 and accepted(key) in self.answer

    def frame(self, data, kind=BINARY, final=True):
        mask = os.urandom(4)
        length = len(data)
        head = bytes([kind | (0x80 if final else 0)])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 1 << 16:
            head += b"\xfe" + struct.pack(">H", length)
        else:
            head += b"\xff" + struct.pack(">Q", length)
        whole = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(length, "big")
        self.send(head + mask + masked)

    def receive(self):
        """(kind, bytes) of the next whole message or control frame."""
        message, first = b"", None
        while True:
            head = self.read(2)
            kind, length = head[0] & 15, head[1] & 127
            if length == 126:
                length = struct.unpack(">H", self.read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.read(8))[0]
            data = self.read(length)
            if kind >= CLOSE:
                return kind, data
            first = kind or first
            message += data
            if head[0] & 0x80:
                return first, message

    def messages(self):
        """The messages of the next packet; [] when it was a close."""
        while True:
            kind, data = self.receive()
            if kind == CLOSE:
                return []
            if kind == PING:
                self.frame(data, PONG)
            elif kind == BINARY:
                return sequence(data)

    def until_end(self, seconds=30):
        """All messages up to the close."""
        found, end = [], time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                more = self.messages()
                if not more:
                    break
                found += more
        except Closed:
            pass
        return found


class Answerer:
    """A server that answers every WebSocket with the same packet."""

    def __init__(self, packet):
        self.packet = packet
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                with Raw.over(self.door.accept()[0]) as guest:
                    self._answer(guest)
            except OSError:
                if self.door.fileno() < 0:
                    return
            except Closed:
                pass

    def _answer(self, guest):
        heads = dict(line.partition(": ")[::2] for line in guest.head().splitlines())
        key = next(heads[name] for name in heads if name.lower() == "sec-websocket-key")
        guest.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Accept: {accepted(key.encode())}\r\nSec-WebSocket-Protocol: goat.sync.1\r\n\r\n".encode())
        guest.send(bytes([0x80 | BINARY, len(self.packet)]) + self.packet)
        guest.rest()

    def close(self):
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()


def sequence(data):
    """A CBOR sequence as a list of values."""
    reader, found = goat_cbor.Reader(data), []
    while reader.at < reader.end:
        begin = reader.at
        reader.value(8)
        found.append(goat_cbor.plain(data[begin:reader.at]))
    return found


def hello(version=1, role=0, network=None, key=None, window=1 << 20, wall=None):
    """HELLO of a client."""
    wall = int(time.time() * 1000) if wall is None else wall
    return goat_cbor.encode([HELLO, version, role, network, None, key or os.urandom(32), os.urandom(32), wall, window, None])
