#!/usr/bin/env python3
"""A worker of the task farm in Python, with pyzmq alone: worker.py TASKS-ENDPOINT RESULTS-ENDPOINT.
It may join, leave or be killed at any time. What it speaks is specified in topology/PIPE.md."""
import sys, time, zmq

def unpack(b, i=0):  # as much of msgpack as the farm needs: integers, short strings, small maps
    c, i = b[i], i + 1
    if 0xCC <= c <= 0xD3:
        end = i + (1 << c % 4)
        return int.from_bytes(b[i:end], "big", signed=c >= 0xD0), end
    if 0xA0 <= c < 0xC0:
        return b[i:i + c - 0xA0].decode(), i + c - 0xA0
    if 0x80 <= c < 0x90:
        items = []
        for _ in range(2 * (c - 0x80)):
            item, i = unpack(b, i)
            items.append(item)
        return dict(zip(items[::2], items[1::2])), i
    return (c if c < 0x80 else c - 256), i

def pack(v):
    if isinstance(v, dict):
        return bytes([0x80 + len(v)]) + b"".join(pack(k) + pack(x) for k, x in v.items())
    return bytes([0xA0 + len(v)]) + v.encode() if isinstance(v, str) else b"\xd3" + v.to_bytes(8, "big", signed=True)

def say(socket, *frames):
    if socket.poll(0, zmq.POLLOUT): socket.send_multipart(frames)  # else the other end is gone, and says HELLO later

tasks, results = (zmq.Context.instance().socket(zmq.DEALER) for _ in range(2))
for socket, endpoint in (tasks, sys.argv[1]), (results, sys.argv[2]):
    socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing of a session that is lost is sent in the next
    socket.connect(endpoint)
taken, sent, allowed, unsent, unaccepted = 0, 0, 0, [], {}  # ids of results, and results by id
while True:
    for socket in zmq.select([tasks, results], [], [])[0]:
        command, *args = socket.recv_multipart()
        if command == b"HELLO" and socket is tasks:  # a session begins; one task at a time is enough
            say(tasks, b"HELLO", b"troupe-pipe/1", b"tasks", b"takes", b"python")
            say(tasks, b"CREDIT", b"1")
            taken = 0
        elif command == b"HELLO":
            say(results, b"HELLO", b"troupe-pipe/1", b"results", b"gives", b"python")
            sent, allowed, unsent = 0, 0, list(unaccepted)
        elif command == b"BYE": sys.exit(args[0].decode())
        elif command == b"TASK":
            task, taken = unpack(args[2])[0], taken + 1
            time.sleep(task["Milliseconds"] / 1000)  # the work: a task says how long it takes
            result = pack({"Task": task, "Worker": "python"})
            unaccepted[args[0]] = (b"TASK", args[0], b"1", result)
            unsent.append(args[0])
            say(tasks, b"CREDIT", b"%d" % (taken + 1))
        elif command == b"END": say(results, b"END", *args)  # passed on as it is; it needs no credit
        elif command == b"CREDIT": allowed = int(args[0])
        elif command == b"DONE":  # the sink has accepted these
            unaccepted = {id: r for id, r in unaccepted.items() if id not in args[0]}
            say(tasks, b"DONE", args[0])
        while unsent and sent < allowed:
            sent += 1
            say(results, *unaccepted[unsent.pop(0)])
