import { AuthenticationError, type Interceptor, type Log, type ParleyError } from "@parley/core";
import { HELLO, ownCall } from "@parley/core/transport";
import { type AccessRule, compileRule } from "./access-rule.ts";
import { type Identity, identityOf } from "./identity.ts";

/** What {@link authorize} takes beside the rules. */
export interface AuthorizeOptions {
  /** Told of what is forbidden to whom. @default none */
  readonly log?: Log | undefined;
}

/**
 * Lets callers do what a rule allows, and nothing else: the rest is `permission_denied`, outcome `not-sent`, whether or not it exists. Stands
 * after {@link authenticate}; without it, who calls is whom the wire knows (`call.context.peer.principal`), without roles and scopes. The handshake
 * is everybody's who is known.
 *
 * ```ts
 * use: [authenticate({ verify }), authorize([{ roles: ["reader"], operations: ["text.*"], topics: ["news/#"], allow: ["call", "subscribe"] }])]
 * ```
 * @throws ParleyError `invalid_argument` for rules that make no sense
 */
export function authorize(rules: readonly AccessRule[], { log }: AuthorizeOptions = {}): Interceptor {
  const compiled = rules.map(compileRule);
  return (next) => (call) => {
    const { context, kind, message } = call;
    if (context.get(ownCall)) return next(call);
    const principal = context.peer?.principal;
    const identity: Identity | undefined = identityOf(context) ?? (principal === undefined ? undefined : { principal });
    if (!identity) return Promise.reject(unknown());
    if (message.type === HELLO && kind === "request") return next(call);
    if (compiled.some((allows) => allows(call, identity))) return next(call);
    const fields = { principal: identity.principal, kind, type: message.type, subject: message.subject };
    log?.({ level: "warn", event: "access-denied", message: `${kind} ${message.type}: no rule allows it`, fields });
    return Promise.reject(denied());
  };
}

function unknown(): ParleyError {
  return new AuthenticationError("unauthenticated", "who calls is not known: no credential, or none that is good", {
    outcome: "not-sent",
  });
}

function denied(): ParleyError {
  return new AuthenticationError("permission_denied", "the caller may not do this", { outcome: "not-sent" });
}
