import { type Context, type ContextKey, contextKey } from "@parley/core";

/** Who calls, and what is known of them. */
export interface Identity {
  /** Their name; what `call.context.peer.principal` says. */
  readonly principal: string;
  readonly roles?: readonly string[] | undefined;
  /** What they were given leave for (OAuth 2). */
  readonly scopes?: readonly string[] | undefined;
  /** When the credential runs out, ms since 1970. No call is let in from then on, and streams end. */
  readonly expiresAt?: number | undefined;
  /** What else a token says. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

const key: ContextKey<Identity> = contextKey("parley.identity");

/** Who calls, as {@link authenticate} found out; undefined where it did not look. */
export function identityOf(context: Context): Identity | undefined {
  return context.get(key);
}

/** Notes in a call's context who calls. */
export function identify(context: Context, identity: Identity): void {
  context.identify(identity.principal);
  context.set(key, identity);
}
