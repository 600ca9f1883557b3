import { type ContextKey, contextKey } from "./context.ts";

/**
 * In the context of a call that this process makes to its own agent, past any wire, as when it carries publications to a broker: there is no
 * caller whom anybody could know.
 */
export const ownCall: ContextKey<true> = contextKey("parley.own-call");
