import {
  countOption,
  durationOption,
  knownOptions,
  type Log,
  type OptionNames,
  ParleyError,
  Policies,
  type ReconnectPolicy,
  type Runtime,
  reconnectPolicy,
  systemRuntime,
} from "@parley/core/transport";
import { type ChildOptions, type Command, requireCommand } from "../child-options.ts";
import type { LineFormat } from "../text-lines.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import { JsonRpcExchange } from "./json-rpc-exchange.ts";
import { LineExchange } from "./line-exchange.ts";
import { jsonFormat, lineFormat } from "./message-format.ts";
import type { StdioClientBaseOptions, StdioClientOptions, StdioHook } from "./options.ts";
import { RawExchange } from "./raw-exchange.ts";
import type { Until } from "./until.ts";

/** Options of a client, complete and checked. */
export interface Settings<Format extends StdioFormat> extends ChildOptions {
  readonly command: Command;
  readonly program: string;
  readonly exitMs: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly onStart: StdioHook<Format> | undefined;
  readonly ping: StdioHook<Format> | undefined;
  /** Part of the start of a child. */
  readonly prompt: Until | undefined;
  /** No attempts: a child that ends is not started again. */
  readonly reconnect: ReconnectPolicy;
  readonly maxMessageBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxCalls: number;
  readonly policies: Policies;
  readonly log: Log | undefined;
  readonly runtime: Runtime;
  exchange(init: ExchangeInit): Exchange;
}

type AnyOptions = { [Format in StdioFormat]: StdioClientOptions<Format> }[StdioFormat];

/** @throws ParleyError `invalid_argument` */
export function readSettings<Format extends StdioFormat>(options: StdioClientOptions<Format>): Settings<Format> {
  const { format } = options ?? {};
  const owner = format === undefined ? "StdioClient" : `StdioClient of format ${format}`;
  knownOptions<object>(owner, options, { ...baseOptions, ...(format && formatOptions[format]) });
  const {
    command,
    cwd,
    env,
    credentials,
    credentialVariable,
    startLimit,
    onStart,
    ping,
    log,
    runtime = systemRuntime,
  } = options;
  requireCommand(command, 'new StdioClient({ command: ["python3", "-i"], format: "raw" })');
  const maxCalls = countOption("maxCalls", options.maxCalls ?? 1_024, 1);
  const given = options as unknown as AnyOptions; // They are those of one format, and say which.
  return {
    command,
    program: command[0],
    cwd,
    env,
    credentials,
    credentialVariable,
    startLimit,
    exitMs: durationOption("exitMs", options.exitMs ?? 2_000),
    connectTimeoutMs: durationOption("connectTimeoutMs", options.connectTimeoutMs ?? 10_000),
    timeoutMs: durationOption("timeoutMs", options.timeoutMs ?? 30_000),
    onStart,
    ping,
    prompt: given.format === "raw" ? given.prompt : undefined,
    reconnect: reconnectOf(options, maxCalls),
    maxMessageBytes: countOption("maxMessageBytes", options.maxMessageBytes ?? 4 * 1024 * 1024, 1),
    maxQueuedBytes: countOption("maxQueuedBytes", options.maxQueuedBytes ?? 16 * 1024 * 1024, 1),
    maxUnreadBytes: countOption("maxUnreadBytes", options.maxUnreadBytes ?? 1024 * 1024, 1),
    maxCalls,
    policies: new Policies(options, runtime),
    log,
    runtime,
    exchange: exchangeOf(given),
  };
}

/** What `setTimeout` takes, 24 days. */
const MAX_WAIT_MS = 2 ** 31 - 1;

function reconnectOf({ reconnect = false }: Pick<StdioClientOptions<StdioFormat>, "reconnect">, maxWaiting: number) {
  const options = reconnect === false ? { maxAttempts: 0 } : { maxAttempts: 5, ...reconnect };
  // Operations wait for as long as they may.
  return reconnectPolicy({ ...options, maxWaiting, waitMs: MAX_WAIT_MS });
}

const lineOptions: OptionNames<LineFormat> = { delimiter: true, encoding: true };

const formatOptions: { readonly [Format in StdioFormat]: OptionNames<StdioFormats[Format]["options"]> } = {
  json: lineOptions,
  line: lineOptions,
  raw: { encoding: true, prompt: true },
  jsonrpc: { delimiter: true, onRequest: true, cancellation: true },
};

const baseOptions: OptionNames<StdioClientBaseOptions<StdioFormat>> = {
  command: true,
  format: true,
  cwd: true,
  env: true,
  credentials: true,
  credentialVariable: true,
  connectTimeoutMs: true,
  timeoutMs: true,
  onStart: true,
  ping: true,
  reconnect: true,
  retry: true,
  use: true,
  startLimit: true,
  exitMs: true,
  maxMessageBytes: true,
  maxQueuedBytes: true,
  maxUnreadBytes: true,
  maxCalls: true,
  log: true,
  runtime: true,
};

/** How the exchanges of a format are made. */
function exchangeOf(options: AnyOptions): (init: ExchangeInit) => Exchange {
  checkLines(options);
  switch (options.format) {
    case "json":
      return (init) => new LineExchange(init, jsonFormat, options);
    case "line":
      return (init) => new LineExchange(init, lineFormat, options);
    case "raw":
      return (init) => new RawExchange(init, options.encoding, options.prompt);
    case "jsonrpc":
      return (init) => new JsonRpcExchange(init, options);
    default: {
      const { format } = options as { readonly format: unknown }; // Callers without types give anything.
      throw unfit(`the format must be json, line, raw or jsonrpc, and is ${String(format)}`);
    }
  }
}

function checkLines({ delimiter = "\n", encoding = "utf8" }: LineFormat): void {
  if (typeof delimiter !== "string" || delimiter === "") throw unfit("the delimiter must be a text that is not empty");
  if (encoding !== "utf8" && encoding !== "latin1")
    throw unfit(`the encoding must be utf8 or latin1, and is ${String(encoding)}`);
}

function unfit(message: string): ParleyError {
  return new ParleyError("invalid_argument", message, { outcome: "not-sent" });
}
