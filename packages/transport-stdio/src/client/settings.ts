import {
  countOption,
  durationOption,
  knownOptions,
  type Log,
  type OptionNames,
  ParleyError,
  type Runtime,
  systemRuntime,
} from "@parley/core/transport";
import { type ChildOptions, type Command, requireCommand } from "../child-options.ts";
import type { LineFormat } from "../text-lines.ts";
import type { Exchange, ExchangeInit } from "./exchange.ts";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import { JsonRpcExchange } from "./json-rpc-exchange.ts";
import { LineExchange } from "./line-exchange.ts";
import { jsonFormat, lineFormat } from "./message-format.ts";
import type { RestartOptions, StdioClientBaseOptions, StdioClientOptions, StdioHook } from "./options.ts";
import { RawExchange } from "./raw-exchange.ts";
import type { RestartPolicy } from "./supervisor.ts";
import type { Until } from "./until.ts";

/** Options of a client, complete and checked. */
export interface Settings<Format extends StdioFormat> extends ChildOptions {
  readonly command: Command;
  readonly program: string;
  readonly exitMs: number;
  readonly startTimeoutMs: number;
  readonly timeoutMs: number;
  readonly onStart: StdioHook<Format> | undefined;
  readonly ping: StdioHook<Format> | undefined;
  /** Part of the start of a child. */
  readonly prompt: Until | undefined;
  readonly restart: RestartPolicy | undefined;
  readonly maxMessageBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxUnreadBytes: number;
  readonly maxPending: number;
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
    startTimeoutMs: durationOption("startTimeoutMs", options.startTimeoutMs ?? 10_000),
    timeoutMs: durationOption("timeoutMs", options.timeoutMs ?? 30_000),
    onStart,
    ping,
    prompt: given.format === "raw" ? given.prompt : undefined,
    restart: options.restart && readRestart(options.restart),
    maxMessageBytes: countOption("maxMessageBytes", options.maxMessageBytes ?? 4 * 1024 * 1024, 1),
    maxQueuedBytes: countOption("maxQueuedBytes", options.maxQueuedBytes ?? 16 * 1024 * 1024, 1),
    maxUnreadBytes: countOption("maxUnreadBytes", options.maxUnreadBytes ?? 1024 * 1024, 1),
    maxPending: countOption("maxPending", options.maxPending ?? 1_024, 1),
    log,
    runtime,
    exchange: exchangeOf(given),
  };
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
  startTimeoutMs: true,
  timeoutMs: true,
  onStart: true,
  ping: true,
  restart: true,
  startLimit: true,
  exitMs: true,
  maxMessageBytes: true,
  maxQueuedBytes: true,
  maxUnreadBytes: true,
  maxPending: true,
  log: true,
  runtime: true,
};

function readRestart({ baseMs = 250, maxMs = 10_000, maxAttempts = 5 }: RestartOptions): RestartPolicy {
  return {
    baseMs: durationOption("restart.baseMs", baseMs),
    maxMs: durationOption("restart.maxMs", maxMs),
    maxAttempts: countOption("restart.maxAttempts", maxAttempts, 1),
  };
}

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
