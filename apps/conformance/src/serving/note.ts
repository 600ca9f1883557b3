import type { HandlerEvent } from "./control.ts";

/** Notes what a handler does for a call. */
export type Note = (
  what: HandlerEvent["what"],
  call: { readonly message: { readonly id: string; readonly type: string } },
  detail?: unknown,
) => void;
