"""What the fixture in Python answers: the operations of the suite, without anything of the wire."""

import asyncio
import base64

REQUESTS = ["echo", "nothing", "repeat", "gate", "delay", "context", "fail", "throw", "callback"]
OPERATIONS = {"note": "notify", **dict.fromkeys(REQUESTS, "request"), **dict.fromkeys(["count", "list", "mixed"], "server-stream")}

class Refused(Exception):
    """What a call, or the connection, fails with."""

    def __init__(self, code, message, **more):
        super().__init__(message)
        self.code = code
        self.data = {"code": code, "message": message, "outcome": "rejected", **more}

def refusal(asked):
    """The failure that the suite asks for."""
    more = {key: asked[key] for key in ("details", "retryAfterMs") if key in asked}
    return Refused(asked["code"], asked["message"], **more)

async def request(call, data):
    """Answers of the requests, and of what is only told: attributes of the reply that hold the data."""
    name, message = call.operation, call.message
    if name in ("gate", "note", "throw") and "gate" in data:
        await call.gate(data["gate"], stubborn=name == "throw" or data.get("stubborn", False))
    if name == "echo":
        return {key: message[key] for key in ("data", "data_base64", "datacontenttype") if key in message}
    if name == "repeat":
        return {"data": data["text"] * data["times"]}
    if name == "gate":
        return {"data": data.get("value")}
    if name == "delay":
        call.stubborn = True
        return {"data": await asyncio.sleep(data["ms"] / 1000)}
    if name == "context":
        return {"data": [await look(call, n) for n in range(data["rounds"] + 1)]}
    if name == "fail":
        raise refusal(data)
    if name == "throw" or name == "note" and "throws" in data:
        raise RuntimeError(f"canary-5f1e9c {data}")
    if name == "callback":
        raise Refused("unimplemented", "this side does not call its caller")
    return {}

async def look(call, n):
    """The call as its handler sees it after some ms."""
    await asyncio.sleep((ord(call.id[2]) + n * 7) % 10 / 1000 if n else 0)
    own, flow, left = call.message.get("acmeown"), call.message.get("correlationid"), call.remaining_ms()
    return {"own": own, "flow": flow, "remainingMs": -1 if left is None else left, "address": None}

async def stream(call, data):
    """Items of the streams."""
    if call.operation == "list":
        for one in data:
            yield {"data": one}
    elif call.operation == "mixed":
        for k in range(1, data["n"] + 1):
            octets = base64.b64encode(bytes([k & 255, k >> 8])).decode()
            yield {"data_base64": octets, "datacontenttype": "application/octet-stream"} if k % 2 else {"data": f"text {k}"}
    else:
        made, fail = 0, data.get("fail")
        try:
            while made < data.get("n", 0) or data.get("endless"):
                if fail and made == fail["after"]:
                    raise refusal(fail)
                if "gates" in data:
                    await call.gate(f"{data['gates']}{made + 1}")
                made += 1
                yield {"data": made}
                await asyncio.sleep(0)
        finally:
            call.note("finished", detail=made)
