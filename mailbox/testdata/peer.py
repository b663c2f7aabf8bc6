# ZeroMQ sockets that obey standard input, one line a command, and answer each with one line:
#   NAME open TYPE bind|connect ENDPOINT option=value ...    its endpoint
#   NAME set option=value ...                                ok
#   NAME send FRAME ...                                      ok
#   NAME recv                                                the frames
#   NAME poll                                                in or out if it could do that now, else ok
#   NAME close                                               ok
# A frame is in quotes, or #N for N bytes of the pattern below, which is also how long ones are printed, with their CRC-32
# behind. What fails answers "error" and why. At the end of the input all sockets are closed, and the process ends.
import ast
import re
import sys
import time
import zlib
import zmq

BLOCK = bytes(((i ^ i >> 5) * 7) & 255 for i in range(4093))
PATTERN = BLOCK * 257
LONG = 64
PATIENCE = 10  # seconds


def show(frame):
    if len(frame) > LONG:
        return "#%d:%08x" % (len(frame), zlib.crc32(frame))
    return '"%s"' % frame.decode("latin-1")


def read(token):
    if token[0] == "#":
        n = int(token[1:])
        return PATTERN[:n] if n <= len(PATTERN) else (BLOCK * (n // len(BLOCK) + 1))[:n]
    return ast.literal_eval(token).encode("latin-1")


def insist(action, errno):
    """What fails for a reason that goes by is tried again."""
    end = time.time() + PATIENCE
    while True:
        try:
            return action()
        except zmq.ZMQError as e:
            if e.errno != errno or time.time() > end:
                raise
            time.sleep(0.001)


def configure(socket, options):
    for option in options:
        key, _, value = option.partition("=")
        value = int(value) if re.fullmatch(r"-?\d+", value) else value.encode()
        socket.set(getattr(zmq, key.upper()), value)


def open_socket(kind, how, endpoint, *options):
    socket = context.socket(getattr(zmq, kind))
    socket.linger = 0
    socket.ipv6 = 1
    socket.rcvtimeo = socket.sndtimeo = PATIENCE * 1000
    socket.reconnect_ivl = 10
    if kind == "ROUTER":
        socket.router_mandatory = socket.router_handover = 1
    if kind == "XPUB":
        socket.xpub_verbose = 1
    configure(socket, options)
    insist(lambda: getattr(socket, how)(endpoint), zmq.EADDRINUSE)
    return socket


def obey(name, command, rest):
    if command == "open":
        sockets[name] = open_socket(*rest.split())
        return sockets[name].last_endpoint.rstrip(b"\0").decode()
    socket = sockets[name]
    if command == "recv":
        return " ".join(show(frame) for frame in socket.recv_multipart())
    if command == "send":
        frames = [read(token) for token in re.findall(r'"(?:[^"\\]|\\.)*"|#\d+', rest)]
        insist(lambda: socket.send_multipart(frames), zmq.EHOSTUNREACH)
    elif command == "set":
        configure(socket, rest.split())
    elif command == "poll":
        return {0: "ok", zmq.POLLOUT: "out"}.get(socket.poll(0, zmq.POLLIN | zmq.POLLOUT), "in")
    elif command == "close":
        sockets.pop(name).close()
    return "ok"


context = zmq.Context()
sockets = {}
for line in sys.stdin:
    name, command, rest = (line.rstrip("\n").split(" ", 2) + [""])[:3]
    try:
        print(obey(name, command, rest))
    except Exception as e:
        print("error", e)
for socket in sockets.values():
    socket.close()
context.term()
