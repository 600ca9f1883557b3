"""Calls a Parley as any Python program would: stubs generated from the published files, grpcio, nothing else.

usage: client.py <folder of the generated stubs> <host:port>
Prints one JSON object of what it saw.
"""

import json
import sys
import threading

sys.path.insert(0, sys.argv[1])

import grpc  # noqa: E402

# The stubs of grpc.reflection are beside the package of that name, not in it.
grpc.__path__.append(f"{sys.argv[1]}/grpc")

from google.protobuf import descriptor_pb2  # noqa: E402
from google.rpc import status_pb2  # noqa: E402
from grpc.reflection.v1 import reflection_pb2, reflection_pb2_grpc  # noqa: E402
from parley.v1 import cloudevents_pb2, parley_pb2_grpc  # noqa: E402


def event(type, data=None, **attributes):
    made = cloudevents_pb2.CloudEvent(id="py-1", source="/python", spec_version="1.0", type=type)
    for name, value in attributes.items():
        made.attributes[name].ce_string = value
    if data is not None:
        made.text_data = json.dumps(data)
    return made


def data(answer):
    return json.loads(answer.text_data)


seen = {}
with grpc.insecure_channel(sys.argv[2]) as channel:
    parley = parley_pb2_grpc.ParleyStub(channel)

    answer = parley.Request(event("text.echo.v1", {"text": "Grüße"}), timeout=10)
    seen["request"] = data(answer)
    seen["kind"] = answer.attributes["kind"].ce_string
    parley.Notify(event("text.note.v1", 1), timeout=10)
    parley.Publish(event("text.status.v1", 1, subject="a/b"), timeout=10)
    seen["serverStream"] = [data(item) for item in parley.ServerStream(event("text.count.v1", 3), timeout=10)]
    seen["subscribe"] = [data(item) for item in parley.Subscribe(event("text.status.v1", 2, subject="a/#"), timeout=10)]
    openers = [event("text.add.v1")] + [event("text.add.v1", n) for n in (1, 2)]
    seen["clientStream"] = data(parley.ClientStream(iter(openers), timeout=10))

    # One at a time, each sent when the one before has come back: both directions are open at once.
    replied = threading.Semaphore(1)

    def chat():
        yield event("text.chat.v1")
        for n in ("a", "b"):
            replied.acquire()
            yield event("text.chat.v1", n)

    seen["bidiStream"] = []
    for item in parley.BidiStream(chat(), timeout=10):
        seen["bidiStream"].append(data(item))
        replied.release()

    try:
        parley.Request(event("text.fail.v1"), timeout=10)
    except grpc.RpcError as error:
        details = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
        told = cloudevents_pb2.CloudEvent()
        unpacked = details.details[0].Unpack(told)
        seen["error"] = {
            "status": error.code().name,
            "message": error.details(),
            "statusCode": details.code,
            "unpacked": unpacked,
            "event": data(told),
        }

    try:
        parley.Request(event("text.hang.v1"), timeout=0.2)
    except grpc.RpcError as error:
        seen["deadline"] = error.code().name

    call = parley.ServerStream(event("text.endless.v1"))
    next(call)
    call.cancel()

    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="parley.v1.Parley"),
    ]
    services, files = list(reflection.ServerReflectionInfo(iter(questions), timeout=10))
    seen["services"] = [service.name for service in services.list_services_response.service]
    seen["files"] = [
        descriptor_pb2.FileDescriptorProto.FromString(one).name
        for one in files.file_descriptor_response.file_descriptor_proto
    ]

json.dump(seen, sys.stdout)
