import {
  channelLimits,
  knownOptions,
  type Limits,
  type Manifest,
  type OptionNames,
  ParleyError,
  type Transport,
} from "@parley/core/transport";
import { dial } from "./dial.ts";
import { listen } from "./listen.ts";
import type { StdioOptions } from "./options.ts";
import { StartHistory } from "./start-limit.ts";

/**
 * Agents as child processes, `stdio:`: all kinds of call over stdin and stdout, in both directions. `connect` starts the command; `listen`
 * serves the process that started this one.
 * @throws ParleyError `invalid_argument` for an option that there is not
 */
export function stdio(options: StdioOptions = {}): Transport {
  knownOptions("stdio()", options, optionNames);
  const history = new StartHistory(options.startLimit);
  return {
    name: "stdio",
    schemes: ["stdio"],
    manifest: manifestWith(options.limits ?? channelLimits),
    async connect(url, connectOptions = {}) {
      checkAddress(url);
      return await dial(options, connectOptions, history);
    },
    async listen(url, handler, listenOptions = {}) {
      checkAddress(url);
      return await listen(url, handler, options, listenOptions);
    },
  };
}

const optionNames: OptionNames<StdioOptions> = {
  cwd: true,
  env: true,
  credentials: true,
  credentialVariable: true,
  exitMs: true,
  startLimit: true,
  heartbeatMs: true,
  helloTimeoutMs: true,
  maxQueuedChars: true,
  limits: true,
  command: true,
  input: true,
  output: true,
  graceMs: true,
};

/** @throws ParleyError `invalid_argument`: an address may come from anywhere, so it never says what is executed */
function checkAddress({ href }: URL): void {
  if (href === "stdio:") return;
  throw new ParleyError("invalid_argument", `the address must be stdio:, and is ${href}; say the command in options`, {
    outcome: "not-sent",
  });
}

function manifestWith(limits: Limits): Manifest {
  return {
    kinds: {
      notify: "native",
      request: "native",
      "server-stream": "native",
      "client-stream": "native",
      "bidi-stream": "native",
      publish: "emulated",
      subscribe: "emulated",
    },
    delivery: "at-most-once",
    cancel: "peer",
    backpressure: "stream",
    ordering: "connection",
    resume: "none",
    duplicates: false,
    gaps: false,
    serverInitiated: true,
    wildcards: true,
    lateSubscriber: "nothing",
    limits,
    broker: null,
  };
}
