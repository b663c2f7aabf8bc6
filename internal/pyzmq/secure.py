# Sockets with security options that obey standard input, one JSON list a line, and answer each with one JSON value:
#   ["allow", {"keys": [...], "passwords": {...}}]           whom ZAP lets in from now on; without it nobody is asked
#   ["open", NAME, TYPE, {option: value}]
#   ["bind" or "connect", NAME, ENDPOINT]                    its endpoint
#   ["send", NAME, [LENGTH, ...]]                            frames of so many bytes of x
#   ["try", NAME, [LENGTH, ...]]                             is sent if that needs no wait
#   ["recv", NAME]                                           the lengths of the frames, after a send
#   ["requests"]                                             the lengths of the frames of each request that came
# A REP echoes. At the end of the input the process ends.
import json
import sys
import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

context = zmq.Context()
sockets, requests, poller = {}, [], zmq.Poller()
poller.register(sys.stdin.fileno(), zmq.POLLIN)


class Keys:
    def __init__(self, keys):
        self.keys = [k.encode() for k in keys]

    def callback(self, domain, key):
        return key in self.keys


def allow(who):
    global authenticator
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    if "keys" in who:
        authenticator.configure_curve_callback(domain="*", credentials_provider=Keys(who["keys"]))
    if "passwords" in who:
        authenticator.configure_plain(domain="*", passwords=who["passwords"])


def open_socket(name, kind, options):
    s = sockets[name] = context.socket(getattr(zmq, kind))
    s.linger, s.rcvtimeo, s.sndtimeo, s.reconnect_ivl = 0, 20000, 20000, 20
    for option, value in (options or {}).items():
        s.set(getattr(zmq, option.upper()), value.encode() if isinstance(value, str) else value)
    if kind == "REP":
        poller.register(s, zmq.POLLIN)


def bind(name, endpoint):
    sockets[name].bind(endpoint)
    return sockets[name].last_endpoint.decode().rstrip("\0")


def connect(name, endpoint):
    sockets[name].connect(endpoint)
    return endpoint


def send(name, frames, flags=0):
    sockets[name].send_multipart([b"x" * f for f in frames], flags)


def try_send(name, frames):
    try:
        send(name, frames, zmq.NOBLOCK)
    except zmq.Again:  # a client that was turned away has given up
        pass


def recv(name):
    return [len(f) for f in sockets[name].recv_multipart()]


authenticator = None
commands = {"allow": allow, "open": open_socket, "bind": bind, "connect": connect, "send": send,
            "try": try_send, "recv": recv, "requests": lambda: requests}
while True:
    for ready, _ in poller.poll():
        if isinstance(ready, int):
            line = sys.stdin.readline()
            if not line:
                if authenticator:
                    authenticator.stop()
                sys.exit()
            name, *args = json.loads(line)
            print(json.dumps(commands[name](*args)), flush=True)
        else:
            request = ready.recv_multipart()
            requests.append([len(f) for f in request])
            ready.send_multipart(request)
