# A node "py" written from PROTOCOL.md alone: it links with the node at an endpoint, asks its actor "greeter", tells its
# actor "inbox" what came back, and then answers one ask itself.
import os, struct, sys, zmq

def pack(v):
    if v is None:
        return b"\xc0"
    if isinstance(v, int):
        return b"\xcf" + struct.pack(">Q", v)
    if isinstance(v, str):
        return b"\xdb" + struct.pack(">I", len(v.encode())) + v.encode()
    if isinstance(v, bytes):
        return b"\xc6" + struct.pack(">I", len(v)) + v
    if isinstance(v, list):
        return b"\xdd" + struct.pack(">I", len(v)) + b"".join(map(pack, v))
    return b"\xdf" + struct.pack(">I", len(v)) + b"".join(pack(k) + pack(x) for k, x in v.items())

def unpack(b, i=0):
    # the value at b[i] and where it ends
    def many(n, i):
        values = []
        for _ in range(n):
            v, i = unpack(b, i)
            values.append(v)
        return values, i
    c, i = b[i], i + 1
    if c < 0x80:
        return c, i
    if c == 0xC0:
        return None, i
    if 0xCC <= c <= 0xCF:
        n = 1 << (c - 0xCC)
        return int.from_bytes(b[i:i + n], "big"), i + n
    if c & 0xE0 == 0xA0:
        return b[i:i + (c & 31)].decode(), i + (c & 31)
    if c in (0xD9, 0xC4):
        value = b[i + 1:i + 1 + b[i]]
        return (value.decode() if c == 0xD9 else value), i + 1 + b[i]
    if c & 0xF0 == 0x90:
        return many(c & 15, i)
    if c & 0xF0 == 0x80:
        flat, i = many(2 * (c & 15), i)
        return dict(zip(flat[::2], flat[1::2])), i
    raise ValueError("msgpack type %#x" % c)

socket = zmq.Context().socket(zmq.DEALER)
socket.linger, socket.rcvtimeo = 1000, 20000
socket.connect(sys.argv[1])

def send(kind, seq=0, ack=0, target=None, sender=None, correlation=0, deadline=0, type=None, body=b""):
    socket.send(pack([kind, 0, seq, ack, target, sender, correlation, deadline, type, None]) + body)

def receive(kind):
    header = [ACK]
    while header[0] == ACK != kind:
        frame = socket.recv()
        header, end = unpack(frame)
    assert header[0] == kind and len(header) == 10, header
    return header, unpack(frame, end)[0] if end < len(frame) else None

HELLO, BYE, ACK, TELL, ASK, REPLY, FAIL = 1, 2, 3, 16, 17, 18, 19
send(HELLO, body=pack({"version": [1, 1], "node": "py", "incarnation": os.urandom(16)}))
_, hello = receive(HELLO)
assert hello["node"] == "beta" and hello["version"][0] == 1, hello

send(ASK, seq=1, target="greeter", sender=7, correlation=50, deadline=5000, type="string", body=pack("py"))
header, reply = receive(REPLY)
assert header[2] == 1 and header[3] == 1 and header[4] == 7 and header[6] == 50 and header[8] == "string", header
send(ASK, seq=2, target="nobody", sender=7, correlation=51, type="string", body=pack("py"))
header, text = receive(FAIL)
assert header[2] == 2 and header[6] == 51 and header[8] == "actor.no-actor", header
send(TELL, seq=3, ack=2, target="inbox", type="string", body=pack(reply))

header, question = receive(ASK)
assert header[2] == 3 and header[4] == "echo" and header[8] == "string", header
send(REPLY, seq=4, ack=3, target=header[5], sender="echo", correlation=header[6], type="string", body=pack(question + "?"))
header, _ = receive(BYE)
assert header[8] == "closing", header
socket.close()
