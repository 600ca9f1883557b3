import type { LineFormat } from "../text-lines.ts";
import type { JsonRpcMessage, JsonRpcOptions } from "./json-rpc.ts";
import type { Until } from "./until.ts";

/** Options of the format `raw`. */
export interface RawOptions extends Pick<LineFormat, "encoding"> {
  /** What the program writes when it waits for input. The first one is part of its start, and each request is answered by what stands before one. */
  readonly prompt?: Until | undefined;
}

/** What a request of the format `raw` takes. */
export interface RawRequestOptions {
  /** Where the answer ends. @default the prompt */
  readonly until?: Until | undefined;
}

/** What is sent and received in each format. */
export interface StdioFormats {
  /** A JSON value a line. */
  readonly json: {
    readonly sent: unknown;
    readonly received: unknown;
    readonly answer: unknown;
    readonly requestOptions: unknown;
    readonly options: LineFormat;
  };
  /** A text a line. */
  readonly line: {
    readonly sent: string;
    readonly received: string;
    readonly answer: string;
    readonly requestOptions: unknown;
    readonly options: LineFormat;
  };
  /** Bytes as they come; an answer is the text before a prompt. */
  readonly raw: {
    readonly sent: string | Uint8Array;
    readonly received: Uint8Array;
    readonly answer: string;
    readonly requestOptions: RawRequestOptions;
    readonly options: RawOptions;
  };
  /** JSON-RPC 2.0, a message or a batch a line; what is sent and received are notifications. */
  readonly jsonrpc: {
    readonly sent: JsonRpcMessage;
    readonly received: JsonRpcMessage;
    readonly answer: unknown;
    readonly requestOptions: unknown;
    readonly options: JsonRpcOptions & Pick<LineFormat, "delimiter">;
  };
}

/** How a program writes its messages. */
export type StdioFormat = keyof StdioFormats;
