/** Code of an error: gRPC's canonical names (google.rpc.Code) in snake case. */
export type Code =
  | "cancelled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

/** How one error code looks in the terms of each protocol. */
export interface CodeMapping {
  /** gRPC status code. */
  readonly grpc: number;
  /** HTTP status. */
  readonly http: number;
  /** WebSocket close code (RFC 6455, 7.4), when the error ends the connection. */
  readonly websocket: number;
  /** MQTT 5 reason code (section 2.4). */
  readonly mqtt: number;
  /** Exit code of a process (sysexits.h where it has one). */
  readonly exit: number;
  /** JSON-RPC 2.0 error code. */
  readonly jsonrpc: number;
  /** Whether trying again later may help when the peer answered with it. */
  readonly retryable: boolean;
}

/** Every error code, in gRPC's canonical names, with its place in each protocol. Published in `docs/errors.md`. */
export const codes: Readonly<Record<Code, CodeMapping>> = {
  cancelled: { grpc: 1, http: 499, websocket: 1000, mqtt: 0x80, exit: 130, jsonrpc: -32001, retryable: false },
  unknown: { grpc: 2, http: 500, websocket: 1011, mqtt: 0x80, exit: 1, jsonrpc: -32002, retryable: false },
  invalid_argument: { grpc: 3, http: 400, websocket: 1002, mqtt: 0x99, exit: 65, jsonrpc: -32602, retryable: false },
  deadline_exceeded: { grpc: 4, http: 504, websocket: 1013, mqtt: 0x80, exit: 124, jsonrpc: -32004, retryable: false },
  not_found: { grpc: 5, http: 404, websocket: 1008, mqtt: 0x90, exit: 66, jsonrpc: -32005, retryable: false },
  already_exists: { grpc: 6, http: 409, websocket: 1008, mqtt: 0x91, exit: 73, jsonrpc: -32006, retryable: false },
  permission_denied: { grpc: 7, http: 403, websocket: 1008, mqtt: 0x87, exit: 77, jsonrpc: -32007, retryable: false },
  resource_exhausted: { grpc: 8, http: 429, websocket: 1009, mqtt: 0x97, exit: 75, jsonrpc: -32008, retryable: true },
  failed_precondition: { grpc: 9, http: 400, websocket: 1008, mqtt: 0x83, exit: 78, jsonrpc: -32009, retryable: false },
  aborted: { grpc: 10, http: 409, websocket: 1012, mqtt: 0x83, exit: 75, jsonrpc: -32010, retryable: true },
  out_of_range: { grpc: 11, http: 400, websocket: 1008, mqtt: 0x99, exit: 65, jsonrpc: -32011, retryable: false },
  unimplemented: { grpc: 12, http: 501, websocket: 1003, mqtt: 0x83, exit: 64, jsonrpc: -32601, retryable: false },
  internal: { grpc: 13, http: 500, websocket: 1011, mqtt: 0x80, exit: 70, jsonrpc: -32603, retryable: false },
  unavailable: { grpc: 14, http: 503, websocket: 1001, mqtt: 0x88, exit: 69, jsonrpc: -32014, retryable: true },
  data_loss: { grpc: 15, http: 500, websocket: 1011, mqtt: 0x80, exit: 74, jsonrpc: -32015, retryable: false },
  unauthenticated: { grpc: 16, http: 401, websocket: 1008, mqtt: 0x86, exit: 77, jsonrpc: -32016, retryable: false },
};

/** Whether the value is one of the codes. */
export function isCode(value: unknown): value is Code {
  return typeof value === "string" && Object.hasOwn(codes, value);
}
