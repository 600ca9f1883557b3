import { type Code, codes, errorData, errorFor, type ParleyError } from "@parley/core/transport";

/** A notification, or a request without its id. */
export interface JsonRpcMessage {
  readonly method: string;
  /** By name, or by place. */
  readonly params?: object | undefined;
}

/** A request of the program. */
export interface JsonRpcRequest extends JsonRpcMessage {
  readonly id: string | number;
}

/** What {@link JsonRpcOptions.cancellation} is told. */
export interface JsonRpcCancellation {
  /** Of the request that was given up. */
  readonly id: number;
  readonly method: string;
  /** Why: `cancelled` or `deadline_exceeded`. */
  readonly error: ParleyError;
}

/** Options of the format `jsonrpc`. */
export interface JsonRpcOptions {
  /**
   * Answers requests of the program: what it gives back, or resolves to, is the result; what it throws is the error, with the code of the
   * table in `docs/errors.md`. The signal is aborted when the program has ended. @default `-32601`, method not found
   */
  readonly onRequest?: ((request: JsonRpcRequest, options: { readonly signal: AbortSignal }) => unknown) | undefined;
  /**
   * What tells the program that a request was given up, since JSON-RPC has nothing for it: of MCP
   * `{ method: "notifications/cancelled", params: { requestId: id } }`, of LSP `{ method: "$/cancelRequest", params: { id } }`. Must not throw.
   * @default nothing
   */
  readonly cancellation?: ((given: JsonRpcCancellation) => JsonRpcMessage | undefined) | undefined;
}

/** Details of the error that a request was answered with. */
export interface JsonRpcErrorDetails {
  /** Its code as it came. */
  readonly jsonrpcCode: number;
  readonly data?: unknown;
}

/** The error of an answer. */
export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Longest part of a program's own text that an error repeats. */
const MAX_MESSAGE = 1_024;

/** The codes that JSON-RPC 2.0, section 5.1, defines; others are each program's own. */
const standard: ReadonlyMap<number, Code> = new Map([
  [-32700, "invalid_argument"],
  [-32600, "invalid_argument"],
  [-32601, "unimplemented"],
  [-32602, "invalid_argument"],
  [-32603, "internal"],
]);

/** What a request fails with that was answered with an error. */
export function refusal(program: string, method: string, { code, message, data }: JsonRpcError): ParleyError {
  const details: JsonRpcErrorDetails = { jsonrpcCode: code, ...(data === undefined ? {} : { data }) };
  const text = `${program} answered ${method} with error ${code}: ${message.slice(0, MAX_MESSAGE)}`;
  return errorFor(standard.get(code) ?? "unknown", text, { outcome: "rejected", details });
}

/** The error to answer with. */
export function answeredError(error: ParleyError): JsonRpcError {
  const { code, message, details } = errorData(error);
  return { code: codes[code].jsonrpc, message, ...(details === undefined ? {} : { data: details }) };
}

/** What a line can be. */
export type Incoming =
  | { readonly kind: "request"; readonly request: JsonRpcRequest }
  | { readonly kind: "notification"; readonly notification: JsonRpcMessage }
  | { readonly kind: "result"; readonly id: unknown; readonly result: unknown }
  | { readonly kind: "error"; readonly id: unknown; readonly error: JsonRpcError };

/** Tells what a value is by JSON-RPC 2.0, sections 4 and 5; undefined: none of it. */
export function readJsonRpc(value: unknown): Incoming | undefined {
  if (!isObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params, result, error } = value;
  if (typeof method === "string") {
    const message = { method, ...(isObject(params) ? { params } : {}) };
    if (id === undefined) return { kind: "notification", notification: message };
    const known = typeof id === "string" || typeof id === "number";
    return known ? { kind: "request", request: { id, ...message } } : undefined;
  }
  if (isError(error)) return { kind: "error", id, error };
  return "result" in value ? { kind: "result", id, result } : undefined;
}

function isError(value: unknown): value is JsonRpcError {
  return isObject(value) && typeof value["code"] === "number" && typeof value["message"] === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
