import {
  AuthenticationError,
  type Call,
  type Context,
  type Interceptor,
  type Invoke,
  type Log,
  ParleyError,
  type Peer,
  type Reply,
  type Runtime,
  TransportError,
} from "@parley/core";
import { knownOptions, type OptionNames, ownCall, systemRuntime } from "@parley/core/transport";
import { invokeUntil } from "./expiring-call.ts";
import { type Identity, identify, identityOf } from "./identity.ts";
import type { Verifier } from "./verifier.ts";

/** What {@link authenticate} takes. */
export interface AuthenticateOptions {
  /** Ways to know a caller; the first that does decides. */
  readonly verify: readonly Verifier[];
  /**
   * For how long a caller is known who has shown once, with the connection, who it is, ms; then that is verified anew, so that a key which was
   * taken back is of no more use on open connections. @default 60_000
   */
  readonly recheckMs?: number | undefined;
  /** Told of who is turned away, and why. @default none */
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

const optionNames: OptionNames<AuthenticateOptions> = { verify: true, recheckMs: true, log: true, runtime: true };

/** Who was known on a connection, and until when that is taken for granted. */
interface Known {
  readonly identity: Identity;
  readonly until: number;
}

/** What a caller is told of what cannot be verified at present. */
const RETRY_AFTER_MS = 1_000;
/** No stream is watched for the end of a credential that lasts longer than that: 24 days. */
const MAX_WATCHED_MS = 2 ** 31 - 1;

/**
 * Lets in calls of those it knows, the handshake included, and notes who they are: in `call.context.peer.principal`, and all of it by
 * {@link identityOf}. Everybody else is `unauthenticated`, outcome `not-sent`, with the same words whatever is missing or wrong, and whether or
 * not there is what they call. Every call is checked, so that none runs under a credential that has run out, and streams end when it does.
 *
 * ```ts
 * await serve(agent, "ws://127.0.0.1:7070", { transports: [ws()], use: [authenticate({ verify: [apiKeys(keys)] })] });
 * ```
 * @throws ParleyError `invalid_argument` without a list of verifiers
 */
export function authenticate(options: AuthenticateOptions): Interceptor {
  knownOptions("authenticate()", options, optionNames);
  const { verify, recheckMs = 60_000, log, runtime = systemRuntime } = options;
  if (!Array.isArray(verify)) {
    throw new ParleyError("invalid_argument", "authenticate() needs a list of verifiers: { verify: [apiKeys(keys)] }", {
      outcome: "not-sent",
    });
  }
  const connections = new WeakMap<Peer, Known>();

  const admit = (call: Call, identity: Identity, next: Invoke): Promise<Reply> => {
    const { context, kind } = call;
    if (hasRunOut(identity, runtime)) return Promise.reject(refuse(context, ["expired"]));
    identify(context, identity);
    const leftMs = (identity.expiresAt ?? Number.POSITIVE_INFINITY) - runtime.date();
    const lasts = kind !== "request" && kind !== "notify" && kind !== "publish";
    if (!lasts || leftMs > MAX_WATCHED_MS) return next(call);
    return invokeUntil(next, call, { at: runtime.now() + leftMs, error: ranOut, runtime });
  };

  const refuse = ({ peer }: Context, reasons: readonly string[]): ParleyError => {
    const reason = reasons.join("; ") || "nothing shown that any verifier reads";
    const fields = { reason, transport: peer?.transport, address: peer?.address };
    log?.({ level: "warn", event: "caller-refused", message: `a caller is not known: ${reason}`, fields });
    return new AuthenticationError("unauthenticated", "who calls is not known: no credential, or none that is good", {
      outcome: "not-sent",
    });
  };

  const identifyCaller = async (context: Context): Promise<Identity> => {
    if ((context.presented?.header("authorization").length ?? 0) > 1)
      throw refuse(context, ["several authorization headers"]);
    const reasons: string[] = [];
    let failure: unknown;
    for (const verifier of verify) {
      try {
        const verdict = await verifier(context);
        if (verdict && "refused" in verdict) reasons.push(verdict.refused);
        else if (verdict && hasRunOut(verdict, runtime)) reasons.push("expired");
        else if (verdict) return verdict;
      } catch (thrown) {
        failure = thrown;
      }
    }
    if (failure === undefined) throw refuse(context, reasons);
    const message = "callers cannot be verified at present";
    log?.({ level: "error", event: "verifier-failed", message, error: failure });
    throw new TransportError("unavailable", message, { outcome: "not-sent", retryAfterMs: RETRY_AFTER_MS });
  };

  return (next) => (call) => {
    const { context } = call;
    const { peer } = context;
    // Known from an earlier attempt at the call, or from another part of it.
    const noted = identityOf(context);
    if (noted) return admit(call, noted, next);
    if (!peer) return context.get(ownCall) ? next(call) : Promise.reject(refuse(context, ["no peer"]));
    // Where each call brings its own, what one has shown says nothing of the next.
    const ofConnection = context.presented === peer.presented;
    const known = ofConnection ? connections.get(peer) : undefined;
    if (known && runtime.now() < known.until) return admit(call, known.identity, next);
    return identifyCaller(context).then((identity) => {
      if (ofConnection) connections.set(peer, { identity, until: runtime.now() + recheckMs });
      return admit(call, identity, next);
    });
  };
}

/** An end that is not a number, as of a certificate that says none which can be read, is past. */
function hasRunOut({ expiresAt = Number.POSITIVE_INFINITY }: Identity, { date }: Runtime): boolean {
  return !(expiresAt > date());
}

function ranOut(): ParleyError {
  return new AuthenticationError("unauthenticated", "the caller's credential has run out");
}
