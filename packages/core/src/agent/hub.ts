import type { Call } from "../call/call.ts";
import { ParleyError } from "../call/error.ts";
import { type Envelope, hopAttributes } from "../envelope/envelope.ts";
import { share } from "../envelope/shared.ts";
import { checkFilter, checkTopic } from "../envelope/topic-name.ts";
import { FilterTree } from "./filter-tree.ts";
import { HubSubscription } from "./hub-subscription.ts";

/** Publish and subscribe within a process: what an agent answers calls of kind `publish` and `subscribe` with. */
export interface Hub {
  /**
   * Hands a publication to every subscription whose filter matches its `subject`, at once. What subscribers get is the publication itself
   * (id, source, type, subject, time, flow, data, extensions) as an `item`, without the attributes of the hop it came by.
   * @returns the number of subscriptions that got it.
   * @throws ValidationError when the subject is no topic.
   */
  publish(message: Envelope): number;
  /**
   * Subscribes by a filter of MQTT's rules, at once: what is published next arrives. Ends when it is left, or with the call.
   * @throws ValidationError when it is no filter; ParleyError `resource_exhausted` beyond `maxSubscriptions`.
   */
  subscribe(filter: string, call?: Call): HubSubscription;
  stats(): HubStats;
}

/** What a hub counts. Numbers only grow, but for `subscriptions`. */
export interface HubStats {
  readonly subscriptions: number;
  readonly published: number;
  /** Publications times the subscriptions that got them. */
  readonly delivered: number;
  /** Those that a subscription which reads too slowly did not get. */
  readonly lost: number;
}

/** What {@link createHub} takes. */
export interface HubOptions {
  /** Publications that wait for one subscriber. Beyond them it loses what follows, and is told by `data_loss`. @default 256 */
  readonly maxQueued?: number | undefined;
  /** Subscriptions at one time; more are refused with `resource_exhausted`. @default 65_536 */
  readonly maxSubscriptions?: number | undefined;
}

/** Makes a hub. */
export function createHub({ maxQueued = 256, maxSubscriptions = 65_536 }: HubOptions = {}): Hub {
  const tree = new FilterTree<HubSubscription>();
  let subscriptions = 0;
  let published = 0;
  let delivered = 0;
  let lost = 0;
  return {
    publish(message) {
      const topic = checkTopic(message.subject);
      published++;
      let reached = 0;
      let item: Envelope | undefined;
      tree.match(topic, (subscription) => {
        item ??= asItem(message);
        if (subscription.push(item)) reached++;
        else lost++;
      });
      delivered += reached;
      return reached;
    },
    subscribe(filter, call) {
      checkFilter(filter);
      if (subscriptions >= maxSubscriptions) {
        throw new ParleyError("resource_exhausted", `at most ${maxSubscriptions} subscriptions are held at a time`);
      }
      const subscription = new HubSubscription(filter, maxQueued, () => {
        subscriptions--;
        tree.delete(filter, subscription);
      });
      subscriptions++;
      tree.add(filter, subscription);
      if (call) subscription.endWith(call);
      return subscription;
    },
    stats: () => ({ subscriptions, published, delivered, lost }),
  };
}

/** The publication as subscribers get it. One object for all of them, and one text. */
function asItem(message: Envelope): Envelope {
  const item: Record<string, unknown> = {};
  for (const name in message) if (!hopAttributes.has(name)) item[name] = message[name];
  item["kind"] = "item";
  // All that an envelope needs is among what was kept.
  const envelope = item as unknown as Envelope;
  share(envelope);
  return envelope;
}
