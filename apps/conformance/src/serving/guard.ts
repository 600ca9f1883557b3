import { AuthenticationError, type Context, type Interceptor } from "@parley/core";
import { HELLO } from "@parley/core/transport";
import type { Guard } from "./control.ts";

/**
 * Lets through who is known, and of theirs what is allowed; and hello, of anybody. Looks at each call, since a credential may run out in between.
 * @param passed resolves when a gate is opened.
 */
export function guarded(
  { operations, topics, ends, tokens }: Guard,
  passed: (gate: string) => Promise<void>,
): Interceptor {
  let ended: string | undefined;
  if (ends)
    void passed(ends.gate).then(() => {
      ended = ends.principal;
    });
  const types = new Set(operations.map((name) => `conformance.${name}.v1`));
  return (next) => async (call) => {
    const { kind, context, message } = call;
    if (message.type === HELLO) return next(call);
    const principal = context.peer?.principal ?? ownerOf(context, tokens);
    if (principal === undefined || principal === ended)
      throw new AuthenticationError("unauthenticated", "who calls is not known", {
        outcome: tokens ? "not-sent" : "rejected",
      });
    if (tokens) context.identify(principal);
    const allowed =
      kind === "publish" || kind === "subscribe"
        ? message.subject?.startsWith(topics) === true
        : types.has(message.type);
    if (!allowed) throw new AuthenticationError("permission_denied", "this is not for you", { outcome: "rejected" });
    return next(call);
  };
}

/** Whose the bearer token is that was shown. */
function ownerOf({ presented }: Context, tokens: Guard["tokens"]): string | undefined {
  const [, token = ""] = /^Bearer (\S+)$/.exec(presented?.header("authorization")[0] ?? "") ?? [];
  return tokens && Object.hasOwn(tokens, token) ? tokens[token] : undefined;
}
