import { type ContextKey, contextKey } from "../../call/context.ts";
import type { ParleyError } from "../../call/error.ts";

/**
 * Told that publications may have been missed: `data_loss`, with what cut the subscription as its cause. The subscription is active again by then.
 */
export type OnGap = (gap: ParleyError) => void;

/**
 * In the context of a `subscribe` call: the subscription is to outlive cuts, and its gaps are told here. Without it a cut ends the
 * subscription with an error, since going on in silence would hide what was missed.
 */
export const onGap: ContextKey<OnGap> = contextKey("parley.on-gap");
