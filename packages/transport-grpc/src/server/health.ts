import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Server,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { HEALTH_SERVICE, NOT_SERVING, SERVICE_UNKNOWN, SERVING, STATUS } from "../wire/health.ts";
import { asBytes, SERVICE } from "../wire/methods.ts";
import { ProtoReader } from "../wire/proto-reader.ts";

/** Watchers at one time. */
const MAX_WATCHERS = 1_024;

/** The services that are asked for: the whole server, and Parley's own. */
const services: ReadonlySet<string> = new Set(["", SERVICE]);

/** The standard health service (grpc.health.v1): serving, until the listener closes. */
export class Health {
  readonly #watchers = new Set<{ readonly call: ServerWritableStream<Buffer, Buffer>; readonly known: boolean }>();
  #serving = true;

  addTo(server: Server): void {
    server.register(`/${HEALTH_SERVICE}/Check`, this.#check, asBytes, asBytes, "unary");
    server.register(`/${HEALTH_SERVICE}/Watch`, this.#watch, asBytes, asBytes, "serverStream");
  }

  /** Tells watchers that there is no more service, and ends them. */
  stop(): void {
    this.#serving = false;
    for (const { call, known } of this.#watchers) {
      if (known) call.write(response(NOT_SERVING));
      call.end();
    }
    this.#watchers.clear();
  }

  readonly #check: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => {
    const service = readService(request);
    if (service === undefined) callback({ code: status.INVALID_ARGUMENT, details: "not a HealthCheckRequest" });
    else if (!services.has(service)) callback({ code: status.NOT_FOUND, details: "no such service here" });
    else callback(null, response(this.#serving ? SERVING : NOT_SERVING));
  };

  readonly #watch: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const service = readService(call.request);
    if (service === undefined) return void fail(call, status.INVALID_ARGUMENT, "not a HealthCheckRequest");
    if (!this.#serving) return void fail(call, status.UNAVAILABLE, "the agent is closing");
    if (this.#watchers.size >= MAX_WATCHERS)
      return void fail(call, status.RESOURCE_EXHAUSTED, "too many watch already");
    const watcher = { call, known: services.has(service) };
    this.#watchers.add(watcher);
    call.on("cancelled", () => this.#watchers.delete(watcher));
    call.write(response(watcher.known ? SERVING : SERVICE_UNKNOWN));
  };
}

function fail(call: ServerWritableStream<Buffer, Buffer>, code: number, details: string): void {
  call.emit("error", Object.assign(new Error(details), { code, details }));
}

/** `service` of a HealthCheckRequest; undefined when it is none. */
function readService(request: Buffer): string | undefined {
  try {
    const reader = new ProtoReader(request);
    let service = "";
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === 0x0a) service = reader.text();
      else reader.skip(tag);
    }
    return service;
  } catch {
    return undefined;
  }
}

/** A HealthCheckResponse. */
function response(servingStatus: number): Buffer {
  return Buffer.from([STATUS, servingStatus]);
}
