"""The conformance suite's fixture in another language: an event a line on stdin and stdout, with nothing but the standard library."""

import asyncio
import json
import os
import re
import sys
from collections import defaultdict

from operations import OPERATIONS, Refused, request, stream

HELLO, PING, CONNECTION = "parley.hello.v1", "parley.ping.v1", "parley.connection.v1"
LIMITS = {"maxMessageBytes": 4 * 1024 * 1024, "maxCalls": 1024, "windowItems": 256, "windowBytes": 256 * 1024}
KINDS = ["notify", "request", "server-stream", "client-stream", "bidi-stream", "publish", "subscribe"]
MANIFEST = {
    "kinds": {kind: "native" if kind in OPERATIONS.values() else "none" for kind in KINDS},
    "delivery": "at-most-once", "cancel": "peer", "backpressure": "stream", "ordering": "connection", "resume": "none",
    "duplicates": False, "gaps": False, "serverInitiated": False, "wildcards": False, "lateSubscriber": "nothing",
    "limits": LIMITS, "broker": None,
}

def unique(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members

def depth(value):
    """Levels of nesting; the decoder has bounded them already."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)

def read(line):
    """An event; -0 stays what it is."""
    event = json.loads(line, object_pairs_hook=unique, parse_int=lambda text: -0.0 if text == "-0" else int(text))
    if depth(event) > 66 or event.get("specversion") != "1.0" or not 1 <= len(event["id"]) <= 256:
        raise ValueError("no event, or too deep")
    return event

class Call:
    """A call that is under way."""

    def __init__(self, peer, message):
        self.peer, self.message = peer, message
        self.id, self.kind, self.type, self.number = (message[key] for key in ("id", "kind", "type", "call"))
        known = re.fullmatch(r"conformance\.(\w+)\.v1", self.type)
        self.operation = known[1] if known else self.type
        self.loop = asyncio.get_running_loop()
        self.deadline = self.loop.time() + message["timeoutms"] / 1000 if "timeoutms" in message else None
        self.credit = {"items": peer.limits["windowItems"], "bytes": peer.limits["windowBytes"]}
        self.more = asyncio.Event()
        self.seq = self.sent_bytes = 0
        self.task, self.stubborn = None, False

    def note(self, what, **detail):
        self.peer.tell({"what": what, "operation": self.operation, "call": self.id, **detail})

    def remaining_ms(self):
        return None if self.deadline is None else (self.deadline - self.loop.time()) * 1000

    def send(self, kind, mark, **more):
        return self.peer.send(id=f"{self.id}.{mark}", type=self.type, kind=kind, call=self.number, **more)

    def fail(self, refused):
        self.send("error", "e", data=refused.data, **({"seq": self.seq + 1} if self.seq or self.kind == "server-stream" else {}))

    async def item(self, data):
        while self.seq >= self.credit["items"] or self.sent_bytes >= self.credit["bytes"]:
            self.more.clear()
            await self.more.wait()
        self.seq += 1
        self.sent_bytes += self.send("item", f"s{self.seq}", seq=self.seq, **data)

    async def gate(self, name, stubborn=False):
        self.stubborn = stubborn
        self.note("gate", detail=name)
        await self.peer.gates[name].wait()

class Peer:
    """One connection: this process."""

    def __init__(self, out, control):
        self.out, self.control = out, control
        self.calls, self.gates, self.limits, self.greeted, self.last = {}, defaultdict(asyncio.Event), LIMITS, False, -1
        self.late = self.refused = 0

    def tell(self, words):
        self.control.write(json.dumps(words).encode() + b"\n")

    def send(self, **event):
        event = {"specversion": "1.0", "parley": "1", "source": "/python", **event}
        line = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        self.out.write(line + b"\n")
        return len(line)

    def receive(self, line):
        try:
            message = read(line)
        except (ValueError, KeyError, AttributeError, RecursionError) as error:
            self.refused += 1
            raise Refused("invalid_argument", "the frame is no event") from error
        kind, call = message.get("kind"), self.calls.get(message.get("call"))
        if "call" not in message:
            raise EOFError
        if kind in KINDS:
            self.opened(message)
        elif call and kind == "credit":
            call.credit = message["data"]
            call.more.set()
        elif call and kind == "cancel":
            self.abort(call, message.get("data", {}).get("code", "cancelled"))
        else:
            self.late += 1

    def opened(self, message):
        hello = message["type"] == HELLO
        if hello == self.greeted or message["call"] <= self.last or message["call"] % 2 == 0:
            raise Refused("invalid_argument", "a hello too many or too few, or a number that was used")
        self.last = message["call"]
        call = Call(self, message)
        if hello:
            return self.greet(call)
        if message["type"] == PING:
            return call.send("reply", "r")
        self.calls[call.number] = call
        timed = {} if call.deadline is None else {"remainingMs": call.remaining_ms()}
        call.note("called", detail={"kind": call.kind, "message": json.dumps(message), **timed})
        call.task = asyncio.ensure_future(self.serve(call))
        if call.deadline is not None:
            call.loop.call_at(call.deadline, self.abort, call, "deadline_exceeded")

    def greet(self, call):
        said = call.message.get("data") or {}
        offered = said.get("profiles", ["1"])
        if "1" not in offered:
            both = {"offered": offered, "supported": ["1"]}
            call.fail(Refused("failed_precondition", "no common profile", details=both, outcome="not-sent"))
            raise EOFError
        self.greeted = True
        self.limits = {**LIMITS, **said.get("limits", {})}
        operations = {f"conformance.{name}": {"kind": kind, "versions": [1]} for name, kind in OPERATIONS.items()}
        known = {"profile": "1", "profiles": ["1"], "name": "conformance-fixture", "operations": operations}
        call.send("reply", "r", data={**known, "limits": LIMITS, "batchItems": 1, "heartbeatMs": 15000})

    async def serve(self, call):
        data = call.message.get("data", {})
        live = lambda: self.calls.get(call.number) is call
        try:
            if OPERATIONS.get(call.operation) != call.kind:
                raise Refused("unimplemented", f"there is no {call.kind} {call.type}")
            if call.kind == "server-stream":
                call.send("reply", "r")
                async for one in stream(call, data):
                    await call.item(one)
                call.send("end", "e", seq=call.seq + 1)
            else:
                answer = await request(call, data)
                call.note("returned")
                if len(json.dumps(answer)) > self.limits["maxMessageBytes"]:
                    raise Refused("resource_exhausted", "the answer is over the caller's limit")
                if live() and call.kind == "request":
                    call.send("reply", "r", **answer)
        except (Exception, asyncio.CancelledError) as error:
            refused = error if isinstance(error, Refused) else Refused("internal", "the handler failed")
            call.note("threw", detail=refused.code)
            if live() and call.kind != "notify":
                call.fail(refused)
        finally:
            if live():
                del self.calls[call.number]

    def abort(self, call, code):
        """The caller gave the call up, or its time is over, or the caller is gone."""
        if self.calls.get(call.number) is not call:
            return
        del self.calls[call.number]
        call.note("aborted", detail=code)
        if code == "deadline_exceeded":
            call.fail(Refused(code, "the time is over"))
        if not call.stubborn:
            call.task.cancel()

    async def obey(self, commands):
        """What the suite asks for beside the wire."""
        async for line in commands:
            asked = json.loads(line)
            for name in asked.get("gates", []):
                self.gates[name].set()
            stats = {"openCalls": len(self.calls), "lateMessages": self.late, "refusedMessages": self.refused}
            self.tell({"n": asked["n"], "value": stats if asked["do"] == "stats" else None})

async def main():
    loop = asyncio.get_running_loop()
    host, port = os.environ["PARLEY_CONFORMANCE"].rsplit(":", 1)
    commands, control = await asyncio.open_connection(host, int(port))
    lines = asyncio.StreamReader(limit=2 * LIMITS["maxMessageBytes"])
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    out, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    peer = Peer(asyncio.StreamWriter(out, protocol, None, loop), control)
    peer.tell({"name": "python", "manifest": MANIFEST})
    commanded = asyncio.ensure_future(peer.obey(commands))
    try:
        while line := await lines.readline():
            peer.receive(line)
    except EOFError:
        pass
    except Refused as refused:
        peer.send(id="connection.e", type=CONNECTION, kind="error", data=refused.data)
    for call in list(peer.calls.values()):
        peer.abort(call, "unavailable")
    await asyncio.sleep(0)
    commanded.cancel()
    peer.out.close()
    await control.drain()

asyncio.run(main())
