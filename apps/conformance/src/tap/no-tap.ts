import type { Reach } from "../serving/reach.ts";
import type { Tap } from "./tap.ts";

/** Why what goes over the wire cannot be seen, and the link not be spoilt. */
export const NOTHING_BETWEEN = "nothing of the suite's stands between it and this server, to listen in or to cut";

/** Nothing of the suite's between the two sides: what is dialled is the server itself. */
export function noTap(reach: Reach): Tap {
  const missed = (): never => {
    throw reach.miss(NOTHING_BETWEEN);
  };
  return {
    through: async (listener) => listener,
    frames: false,
    get connections(): number {
      return missed();
    },
    bytes: missed,
    contains: missed,
    captured: missed,
    rewrite: (rule) => (rule === undefined ? undefined : missed()),
    forge: missed,
    inject: missed,
    hold: missed,
    held: missed,
    release: () => {},
    cut: missed,
    sayGoodbye: missed,
    close: async () => {},
  };
}
