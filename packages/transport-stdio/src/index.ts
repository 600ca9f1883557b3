export type { ClientHealth, ClientState, ClientStateChange, OperationOptions } from "@parley/core";
export type { ChildEnd } from "./child-error.ts";
export type { ChildOptions, Command } from "./child-options.ts";
export type { StdioClientStats } from "./client/counts.ts";
export type { RawOptions, RawRequestOptions, StdioFormat, StdioFormats } from "./client/formats.ts";
export type {
  JsonRpcCancellation,
  JsonRpcErrorDetails,
  JsonRpcMessage,
  JsonRpcOptions,
  JsonRpcRequest,
} from "./client/json-rpc.ts";
export type {
  StdioClientBaseOptions,
  StdioClientOptions,
  StdioHook,
  StdioReconnectOptions,
  StdioRequestOptions,
} from "./client/options.ts";
export { StdioClient } from "./client/stdio-client.ts";
export type { StdioSession } from "./client/stdio-session.ts";
export type { Until } from "./client/until.ts";
export type { StdioOptions } from "./options.ts";
export type { StartLimit } from "./start-limit.ts";
export { stdio } from "./stdio.ts";
export type { LineFormat, StdioEncoding } from "./text-lines.ts";
