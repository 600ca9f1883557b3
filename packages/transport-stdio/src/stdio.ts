import { type Limits, type Manifest, ParleyError, type Transport } from "@parley/core/transport";
import { dial } from "./dial.ts";
import { listen } from "./listen.ts";
import { type StdioOptions, stdioLimits } from "./options.ts";
import { StartHistory } from "./start-limit.ts";

/**
 * Agents as child processes, `stdio:`: all kinds of call over stdin and stdout, in both directions. `connect` starts the command; `listen`
 * serves the process that started this one.
 */
export function stdio(options: StdioOptions = {}): Transport {
  const history = new StartHistory(options.startLimit);
  return {
    name: "stdio",
    schemes: ["stdio"],
    manifest: manifestWith(options.limits ?? stdioLimits),
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
