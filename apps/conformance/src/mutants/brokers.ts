import { ParleyError, TransportError } from "@parley/core";
import { type CloseOptions, type Connection, derive } from "@parley/core/transport";
import { deafRelay } from "./deaf-relay.ts";
import { forgetting, silent } from "./lasting.ts";
import { type Faults, type Mutant, wireMutant } from "./mutate.ts";

function brokerMutant(id: string, kills: string, fault: string, faults: () => Faults): Mutant {
  return wireMutant("mqtt", id, kills, fault, faults);
}

/** Never settles what fails so. */
function hanging(codes: readonly string[]): () => Faults {
  return () => ({
    call: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof ParleyError && codes.includes(error.code) && !call.aborted) return new Promise(() => {});
        throw error;
      }
    },
  });
}

/** Leaves out when some publications expire, by that instant in ms. */
function immortal(which: (expiry: number) => boolean): () => Faults {
  return () => ({
    call: (next) => (call) => {
      const { expirytime, ...message } = call.message;
      return next(expirytime !== undefined && which(Date.parse(expirytime)) ? derive(call, { message }) : call);
    },
  });
}

/** Mutants of BRK. */
export const brokerMutants: readonly Mutant[] = [
  brokerMutant(
    "resolves-before-the-broker",
    "BRK-01",
    "takes a publication for acknowledged that it has written",
    () => ({
      call: (next) => async (call) => {
        if (call.kind !== "publish") return next(call);
        next(call).catch(() => {});
        return {};
      },
    }),
  ),
  brokerMutant("hides-gaps-at-brokers", "BRK-01", "does not tell that publications may be missing", silent),
  brokerMutant("forgets-subscriptions-at-brokers", "BRK-02", "does not make a subscription again", forgetting),
  brokerMutant(
    "takes-lost-calls-for-held",
    "BRK-02",
    "waits for what the broker has forgotten",
    hanging(["unavailable"]),
  ),
  brokerMutant("misses-the-dead", "BRK-03", "does not notice that a process has vanished", hanging(["unavailable"])),
  brokerMutant("leaves-without-a-word", "BRK-03", "hangs up on the broker without a goodbye", () => ({
    transport: (next) => ({
      ...next,
      async listen(url, handler, options) {
        const relay = await deafRelay(url);
        const through = Object.assign(new URL(url), { port: `${relay.port}` });
        const listener = await next.listen(through, handler, options);
        const close = async (how?: CloseOptions): Promise<void> => {
          await listener.close(how);
          await relay.close();
        };
        return { url, stats: () => listener.stats(), close, [Symbol.asyncDispose]: () => close() };
      },
    }),
  })),
  brokerMutant("does-not-say-what-is-missing", "BRK-04", "does not tell why a broker is of no use", () => ({
    transport: (next) => ({
      ...next,
      async connect(url, options) {
        try {
          return await next.connect(url, options);
        } catch (cause) {
          throw new TransportError("unavailable", "that broker is of no use", { outcome: "not-sent", cause });
        }
      },
    }),
  })),
  brokerMutant(
    "hangs-at-broker-limits",
    "BRK-04",
    "waits for an answer to what the broker did not take",
    hanging(["resource_exhausted"]),
  ),
  brokerMutant(
    "publishes-the-expired",
    "BRK-04",
    "publishes what has expired",
    immortal((expiry) => expiry <= Date.now()),
  ),
  brokerMutant(
    "forgets-when-it-expires",
    "BRK-04",
    "does not tell the broker when a publication expires",
    immortal((expiry) => expiry > Date.now()),
  ),
  brokerMutant("leaves-a-subscription", "BRK-05", "leaves a connection behind, with its subscriptions", () => ({
    transport: (next) => ({
      ...next,
      async connect(url, options) {
        await next.connect(url, options);
        return next.connect(url, options);
      },
    }),
  })),
  brokerMutant("has-one-agent", "BRK-06", "takes all agents for one", () => {
    const one = (url: URL): URL => Object.assign(new URL(url), { pathname: "/conformance/one" });
    return {
      transport: (next) => ({
        ...next,
        connect: (url, options): Promise<Connection> => next.connect(one(url), options),
        listen: (url, handler, options) => next.listen(one(url), handler, options),
      }),
    };
  }),
  brokerMutant("has-one-set-of-topics", "BRK-06", "leaves the first level of topics out", () => ({
    call: (next) => (call) => {
      const { subject } = call.message;
      if ((call.kind !== "publish" && call.kind !== "subscribe") || subject === undefined) return next(call);
      const message = { ...call.message, subject: subject.slice(subject.indexOf("/") + 1) };
      return next(derive(call, { message }));
    },
  })),
];
