import { AuthenticationError, ParleyError, TransportError } from "@parley/core";
import {
  type Call,
  Context,
  createCall,
  derive,
  type Handler,
  HELLO,
  type Peer,
  type Reply,
} from "@parley/core/transport";
import type { Tuning } from "../subject.ts";
import { type Faults, type Mutant, mutant, wireMutant } from "./mutate.ts";

/** Tells the handler something else of who calls. */
function peering(change: (call: Call) => string | undefined): () => Faults {
  const around =
    (next: Handler): Handler =>
    async (call) => {
      const { kind, message, input, deadline, context } = call;
      const { principal: _, ...peer } = context.peer ?? { transport: "unknown" };
      const principal = change(call);
      const told: Peer = principal === undefined ? peer : { ...peer, principal };
      const own = createCall({ kind, message, input, deadline, context: new Context(told), parent: call });
      const reply = await next(own);
      if (!reply.output) own.settle();
      return reply;
    };
  return () => ({ handler: around });
}

/** Says something else of why it could not connect. */
function connectFailure(change: (error: ParleyError, url: URL, tuning: Tuning) => ParleyError): () => Faults {
  return () => {
    let given: Tuning = {};
    return {
      tuning(tuning) {
        given = tuning;
        return tuning;
      },
      transport: (next) => ({
        ...next,
        async connect(url, options) {
          try {
            return await next.connect(url, options);
          } catch (error) {
            throw error instanceof ParleyError ? change(error, url, given) : error;
          }
        },
      }),
    };
  };
}

const takenForOutage = connectFailure((cause) =>
  cause.code === "unauthenticated"
    ? new TransportError("unavailable", "not let in", { outcome: "not-sent", cause })
    : cause,
);

const toldCredential = connectFailure(
  (cause, _url, { credential }) =>
    new TransportError("unavailable", `not let in with ${credential}`, { outcome: "not-sent", cause }),
);

/** Settles what is refused as not permitted as if nothing were wrong. */
function permitting(kinds: readonly Call["kind"][], instead: (call: Call) => Reply): () => Faults {
  return () => ({
    call: (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof AuthenticationError && kinds.includes(call.kind)) return instead(call);
        throw error;
      }
    },
  });
}

/** Hides from the agent that a source names another than who calls. */
const sourceless = (): Faults => ({
  handler: (next) => async (call) => {
    const known = call.context.peer?.principal !== undefined;
    return next(known ? derive(call, { message: { ...call.message, source: "client" } }) : call);
  },
});

const unverified = (): Faults => ({
  tuning: (tuning) => (tuning.tls ? { ...tuning, tls: { ...tuning.tls, rejectUnauthorized: false } } : tuning),
});

/** Mutants of AUTH. */
export const identityMutants: readonly Mutant[] = [
  wireMutant(
    "ws",
    "takes-anybody-for-alice",
    "AUTH-01",
    "knows everybody as the same",
    peering(() => "urn:agent:alice"),
  ),
  wireMutant("ws", "checks-once", "AUTH-02", "takes who was let in once for let in for good", () => {
    const letIn = new Set<string>();
    return peering(({ message, context: { peer } }) => {
      const { address = "", principal } = peer ?? {};
      if (letIn.has(address)) return "urn:agent:let-in";
      if (message.type !== HELLO) letIn.add(address);
      return principal;
    })();
  }),
  wireMutant(
    "ws",
    "resolves-what-is-forbidden",
    "AUTH-03",
    "says nothing of a refusal",
    permitting(["request"], ({ message }) => ({ message })),
  ),
  wireMutant("ws", "trusts-every-certificate", "AUTH-05", "does not verify who answers", unverified),
  wireMutant(
    "ws",
    "hides-who-calls",
    "AUTH-05",
    "does not tell the handler who calls",
    peering(() => undefined),
  ),
  wireMutant("ws", "tells-its-credential", "AUTH-04", "says in errors how it tried to get in", toldCredential),
  wireMutant("ws", "forgets-what-is-shown", "AUTH-01", "does not tell the handler what the caller shows", () => ({
    handler: (next) => async (call) => {
      const { kind, message, input, context } = call;
      const { presented: _, ...peer } = context.peer ?? { transport: "unknown" };
      const own = createCall({ kind, message, input, context: new Context(peer), parent: call });
      const reply = await next(own);
      if (!reply.output) own.settle();
      return reply;
    },
  })),
  wireMutant("ws", "never-shows-another", "AUTH-02", "stays with the first credential", () => ({
    transport: (next) => ({
      ...next,
      connect: async (url, options) => Object.assign(await next.connect(url, options), { renewal: undefined }),
    }),
  })),
  mutant(
    "believes-the-source",
    "AUTH-06",
    "takes a message's source for who sent it",
    peering(({ message }) => message.source),
  ),
  wireMutant("ws", "overlooks-the-source", "AUTH-06", "lets everybody call in the name of others", sourceless),
  wireMutant(
    "mqtt",
    "takes-strangers-for-an-outage",
    "AUTH-01",
    "takes a broker that lets it not in for one that is down",
    takenForOutage,
  ),
  wireMutant(
    "mqtt",
    "comes-back-for-ever",
    "AUTH-02",
    "tries again when a broker lets it not in any more",
    takenForOutage,
  ),
  wireMutant(
    "mqtt",
    "resolves-what-brokers-forbid",
    "AUTH-03",
    "takes a publication for handed over that the broker has refused",
    permitting(["publish"], () => ({})),
  ),
  wireMutant(
    "mqtt",
    "subscribes-to-what-is-forbidden",
    "AUTH-03",
    "takes a subscription for granted that the broker has refused",
    permitting(["subscribe"], () => ({ output: nothing() })),
  ),
  wireMutant("mqtt", "trusts-every-broker", "AUTH-05", "does not verify the broker", unverified),
  wireMutant(
    "mqtt",
    "hides-who-calls-by-brokers",
    "AUTH-05",
    "does not tell the handler whom the broker vouches for",
    peering(() => undefined),
  ),
  wireMutant("mqtt", "tells-its-password", "AUTH-04", "says in errors how it tried to get in", toldCredential),
  wireMutant(
    "mqtt",
    "tells-its-address",
    "AUTH-04",
    "says in errors where it dialled, password and all",
    connectFailure(
      (cause, url) => new TransportError("unavailable", `no answer at ${url}`, { outcome: "not-sent", cause }),
    ),
  ),
  wireMutant(
    "mqtt",
    "overlooks-the-source-at-brokers",
    "AUTH-06",
    "lets everybody call in the name of others",
    sourceless,
  ),
];

async function* nothing(): AsyncGenerator<never, void, undefined> {}
