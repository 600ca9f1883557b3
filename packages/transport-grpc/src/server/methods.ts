import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Server,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { type CallKind, toParleyError } from "@parley/core/transport";
import { asBytes, methodPaths } from "../wire/methods.ts";
import type { Desk } from "./desk.ts";
import { deadlineOf, readOpener } from "./opener.ts";
import { type Outlet, streamOutlet, unaryOutlet } from "./outlet.ts";
import { presentedIn } from "./presented-in.ts";
import { refuse } from "./refuse.ts";
import { ServedCall } from "./served-call.ts";
import { Upload } from "./upload.ts";

/** Adds the methods of `parley.v1.Parley` to a server, one per kind of call. */
export function addMethods(server: Server, desk: Desk): void {
  const unary =
    (kind: CallKind): handleUnaryCall<Buffer, Buffer> =>
    (call, callback) =>
      serve(desk, kind, call, unaryOutlet(callback));
  const serverStream =
    (kind: CallKind): handleServerStreamingCall<Buffer, Buffer> =>
    (call) =>
      serve(desk, kind, call, streamOutlet(call));
  const clientStream: handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
    const outlet = unaryOutlet(callback);
    if (hasRoom(desk, call.getPeer(), outlet)) new Upload(desk, "client-stream", call, outlet);
  };
  const bidiStream: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    const outlet = streamOutlet(call);
    if (hasRoom(desk, call.getPeer(), outlet)) new Upload(desk, "bidi-stream", call, outlet);
  };
  for (const kind of ["notify", "publish", "request"] as const)
    server.register(methodPaths[kind], unary(kind), asBytes, asBytes, "unary");
  for (const kind of ["server-stream", "subscribe"] as const)
    server.register(methodPaths[kind], serverStream(kind), asBytes, asBytes, "serverStream");
  server.register(methodPaths["client-stream"], clientStream, asBytes, asBytes, "clientStream");
  server.register(methodPaths["bidi-stream"], bidiStream, asBytes, asBytes, "bidi");
}

function hasRoom(desk: Desk, peer: string, outlet: Outlet): boolean {
  const full = desk.fullness(peer);
  if (full) refuse(desk, outlet, full);
  return !full;
}

function serve(
  desk: Desk,
  kind: CallKind,
  call: ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>,
  outlet: Outlet,
): void {
  const peer = call.getPeer();
  if (!hasRoom(desk, peer, outlet)) return;
  let served: ServedCall;
  try {
    const message = readOpener(call.request, kind, call.metadata, desk.limits.maxMessageBytes);
    const deadline = deadlineOf(message, call.getDeadline(), desk);
    served = new ServedCall(desk, { kind, message, peer, presented: presentedIn(call.metadata), deadline, outlet });
  } catch (thrown) {
    return refuse(desk, outlet, toParleyError(thrown));
  }
  call.on("cancelled", () => served.left());
  served.run();
}
