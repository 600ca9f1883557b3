import type { Runtime } from "@parley/core/transport";
import type { Link } from "./link.ts";
import { NO_MATCHING_SUBSCRIBERS } from "./reason.ts";
import type { Routes } from "./routes.ts";

/** How much later than this process's own message another may come that was sent at the same time: so long at least, ms, */
export const GRACE_FLOOR_MS: number = 50;
/** and so many times as long as its own took. */
export const GRACE_ROUND_TRIPS: number = 4;

/** Whether the broker says that nobody has subscribed: MQTT 5 leaves that to it. @param topic one to which nobody has */
export function tellsNoSubscribers(link: Link, topic: string): Promise<boolean> {
  if (link.server.version !== 5 || link.server.maximumQoS === 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    link.publish(topic, "", { qos: 1 }, (_error, reason) => resolve(reason === NO_MATCHING_SUBSCRIBERS));
  });
}

/**
 * Whether the broker shares subscriptions. One of MQTT 5 says so; others grant them, and some deliver nothing then, so it is tried out.
 * @param topics two to which nobody has subscribed
 * @throws ParleyError `permission_denied` and others, as the broker refuses a plain subscription
 */
export async function sharesSubscriptions(
  link: Link,
  routes: Routes,
  [probed, marker]: readonly [string, string],
  runtime: Runtime,
): Promise<boolean> {
  if (link.server.version === 5) return link.server.shares;
  const options = { qos: 0, retained: false } as const;
  let cancelTimer = (): void => {};
  let came = (): void => {};
  let passed = (): void => {};
  const plain = await routes.add(link, marker, options, () => passed());
  const shared = await routes.add(link, `$share/parley/${probed}`, options, () => came()).catch(() => undefined);
  try {
    if (!shared) return false;
    const sent = runtime.now();
    return await new Promise<boolean>((resolve) => {
      came = () => {
        passed = () => {};
        resolve(true);
      };
      // What was sent before is about to come, if it comes at all.
      passed = () => {
        const graceMs = Math.max(GRACE_FLOOR_MS, GRACE_ROUND_TRIPS * (runtime.now() - sent));
        cancelTimer = runtime.setTimer(() => resolve(false), graceMs);
      };
      void link.closed.then(() => resolve(false));
      for (const topic of [probed, marker]) link.publish(topic, "", { qos: 0 });
    });
  } finally {
    cancelTimer();
    await Promise.all([plain(), shared?.()]);
  }
}
