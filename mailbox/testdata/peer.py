# One socket: TYPE bind|connect ENDPOINT [IDENTITY]. Prints its endpoint, then obeys standard input:
#   send "frame" "frame" ...
#   recv                        prints the frames in quotes, long ones as their size and SHA-256
import ast
import hashlib
import re
import sys
import zmq


def show(frame):
    if len(frame) > 64:
        return '"%d bytes %s"' % (len(frame), hashlib.sha256(frame).hexdigest())
    return '"%s"' % frame.decode("latin-1")


context = zmq.Context()
socket = context.socket(getattr(zmq, sys.argv[1]))
socket.linger = 0
socket.rcvtimeo = socket.sndtimeo = 10000
socket.reconnect_ivl = 10
if len(sys.argv) > 4:
    socket.identity = sys.argv[4].encode()
getattr(socket, sys.argv[2])(sys.argv[3])
print(socket.last_endpoint.rstrip(b"\0").decode())
for line in sys.stdin:
    command, _, rest = line.partition(" ")
    if command == "send":
        frames = re.findall(r'"(?:[^"\\]|\\.)*"', rest)
        socket.send_multipart([ast.literal_eval(f).encode("latin-1") for f in frames])
    else:
        print(" ".join(show(frame) for frame in socket.recv_multipart()))
socket.close()
context.term()
