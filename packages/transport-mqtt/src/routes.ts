import { type ParleyError, type Runtime, toParleyError } from "@parley/core/transport";
import type { IPublishPacket } from "mqtt";
import type { Link } from "./link.ts";
import type { Qos } from "./options.ts";
import { matches, patternOf } from "./topic.ts";

/** Takes what arrives by one subscription. */
export type Taker = (topic: string, payload: Buffer, packet: IPublishPacket) => void;

/** Largest subscription identifier (MQTT 5, 3.8.2.1.2). */
const MAX_ID = 268_435_455;

const MAX_IDS_PER_FILTER = 16;

interface Subscriber {
  readonly taker: Taker;
  readonly refused: (error: ParleyError) => void;
  /** Of the SUBSCRIBE that it caused: what is retained and comes by it is for this one alone. */
  id: number;
  /** Whether the broker has granted it once. */
  active: boolean;
}

/** One filter at the broker, however many subscribers it has here. */
interface Route {
  readonly filter: string;
  /** The filter without `$share/<group>/`. */
  readonly pattern: string;
  qos: Qos;
  retained: boolean;
  readonly subscribers: Set<Subscriber>;
  /** The latest identifiers of this filter: what is on its way may still bear an earlier one. */
  readonly ids: number[];
  /** That of the latest SUBSCRIBE that was granted: where the broker does not say, what is retained comes after SUBACK. */
  grantedId: number | undefined;
  /** What the broker knows of it in the present session: it may, or it does. */
  known: "no" | "maybe" | "yes";
  /** The last SUBSCRIBE or UNSUBSCRIBE, which the next waits for. */
  settled: Promise<unknown>;
}

/** What a subscription is besides its filter. */
export interface RouteOptions {
  readonly qos: Qos;
  /** Whether retained messages are wanted. */
  readonly retained: boolean;
  /** Told when the broker does not grant it again on a new link; the subscription is over then. */
  readonly refused?: (error: ParleyError) => void;
}

/** What {@link Routes} take. */
export interface RoutesInit {
  /** Where subscription identifiers begin is drawn from it, so that those of an earlier process are known as such. @default 1 */
  readonly random?: Pick<Runtime, "randomBytes">;
  /** Takes what an earlier process has subscribed to, and nobody here. @default dropped */
  readonly unclaimed?: Taker | undefined;
}

/** One subscriber of one filter. */
export interface Registration {
  /** Asks the broker for it. Resolves with the QoS that is granted. @throws ParleyError as the broker refuses */
  subscribe(link: Link): Promise<Qos>;
  /** Takes it back; resolves when the broker has, or the link is lost. */
  remove(): Promise<void>;
}

/**
 * The subscriptions of one client, over one link or several. Brokers know one per filter, and deliver by some of them once, by others once for
 * each: where MQTT 5's subscription identifiers tell which it was, they decide; elsewhere the filters do.
 */
export class Routes {
  readonly #byFilter = new Map<string, Route>();
  readonly #byId = new Map<number, Route>();
  /** Filters that were given up while there was no link, and that a lasting session still has. */
  readonly #stale = new Set<string>();
  readonly #firstId: number;
  readonly #unclaimed: Taker | undefined;
  #lastId: number;
  #link: Link | undefined;

  constructor({ random, unclaimed }: RoutesInit = {}) {
    const bytes = new Uint32Array(1);
    random?.randomBytes(new Uint8Array(bytes.buffer));
    this.#firstId = (bytes[0] as number) >>> 5;
    this.#lastId = this.#firstId;
    this.#unclaimed = unclaimed;
  }

  /** The link that is used from now on. */
  use(link: Link): void {
    this.#link = link;
  }

  /**
   * Uses a new link, with the subscriptions of the one before: those that the broker has forgotten are made again.
   * @throws ParleyError when the link is lost
   */
  async renew(link: Link): Promise<void> {
    this.use(link);
    const present = link.server.sessionPresent;
    const routes = [...this.#byFilter.values()];
    if (!present) for (const route of routes) route.known = "no";
    const stale = present ? [...this.#stale] : [];
    this.#stale.clear();
    await Promise.all([
      ...stale.map((filter) => this.#forget(filter)),
      ...routes.filter(({ known }) => known !== "yes").map((route) => this.#again(route, link)),
    ]);
  }

  /** Notes a subscription: from now on, what comes for it is handed over. It is the registration's to ask the broker. */
  register(filter: string, { qos, retained, refused = ignore }: RouteOptions, taker: Taker): Registration {
    let route = this.#byFilter.get(filter);
    if (!route) {
      const pattern = patternOf(filter);
      const settled = Promise.resolve();
      route = {
        filter,
        pattern,
        qos,
        retained,
        subscribers: new Set(),
        ids: [],
        grantedId: undefined,
        known: "no",
        settled,
      };
      this.#byFilter.set(filter, route);
    }
    const registered = route;
    if (qos > registered.qos) registered.qos = qos;
    registered.retained ||= retained;
    const subscriber: Subscriber = { taker, refused, id: this.#nextId(), active: false };
    registered.subscribers.add(subscriber);
    let removed: Promise<void> | undefined;
    return {
      subscribe: async (link) => {
        const granted = await this.#ask(registered, subscriber.id, link, retained);
        subscriber.active = true;
        return granted;
      },
      remove: () => {
        removed ??= this.#remove(registered, subscriber);
        return removed;
      },
    };
  }

  /**
   * Resolves when the broker has granted it, with what takes it back.
   * @throws ParleyError as the broker refuses
   */
  async add(link: Link, filter: string, options: RouteOptions, taker: Taker): Promise<() => Promise<void>> {
    const { subscribe, remove } = this.register(filter, options, taker);
    try {
      await subscribe(link);
    } catch (error) {
      await remove();
      throw error;
    }
    return remove;
  }

  /** Hands a message to those it is for. */
  deliver(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const ids = packet.properties?.subscriptionIdentifier as number | number[] | undefined;
    if (typeof ids === "number" && this.#isOwn(ids)) this.#deliverBy(ids, topic, payload, packet);
    else if (Array.isArray(ids) && ids.every((id) => this.#isOwn(id)))
      for (const id of ids) this.#deliverBy(id, topic, payload, packet);
    else this.#deliverByFilter(topic, payload, packet);
  }

  #deliverBy(id: number, topic: string, payload: Buffer, packet: IPublishPacket): void {
    const route = this.#byId.get(id);
    if (route) handOver(route, id, topic, payload, packet);
  }

  #deliverByFilter(topic: string, payload: Buffer, packet: IPublishPacket): void {
    let claimed = false;
    for (const route of this.#byFilter.values()) {
      if (!matches(route.pattern, topic)) continue;
      claimed = true;
      handOver(route, undefined, topic, payload, packet);
    }
    if (!claimed) this.#unclaimed?.(topic, payload, packet);
  }

  /** Whether it was given out here, be it long ago. */
  #isOwn(id: number): boolean {
    return id > this.#firstId && id <= this.#lastId;
  }

  #ask(route: Route, id: number, link: Link, retained: boolean): Promise<Qos> {
    const granted = route.settled.then(async () => {
      const { known, filter, qos } = route;
      this.#stale.delete(filter);
      this.#name(route, id);
      route.known = "maybe";
      try {
        const named = link.server.subscriptionIds ? id : undefined;
        const onGranted = (): void => {
          route.grantedId = id;
        };
        const given = await link.subscribe(filter, { qos, id: named, retained, onGranted });
        route.known = "yes";
        return given;
      } catch (error) {
        // Refused: what was there before is there still.
        if (link.isOpen) route.known = known;
        throw error;
      }
    });
    route.settled = granted.catch(ignore);
    return granted;
  }

  async #again(route: Route, link: Link): Promise<void> {
    const subscribers = [...route.subscribers].filter(({ active }) => active);
    if (subscribers.length === 0) return;
    const id = this.#nextId();
    for (const subscriber of subscribers) subscriber.id = id;
    try {
      await this.#ask(route, id, link, route.retained);
    } catch (thrown) {
      if (!link.isOpen) throw thrown;
      const error = toParleyError(thrown);
      for (const subscriber of subscribers) {
        route.subscribers.delete(subscriber);
        subscriber.refused(error);
      }
      this.#drop(route);
    }
  }

  async #remove(route: Route, subscriber: Subscriber): Promise<void> {
    if (!route.subscribers.delete(subscriber)) return;
    await route.settled;
    if (route.subscribers.size > 0 || this.#byFilter.get(route.filter) !== route) return;
    if (route.known !== "no") {
      route.settled = this.#forget(route.filter);
      await route.settled;
    }
    this.#drop(route);
  }

  /** Nobody has it any more; somebody may have come meanwhile, and subscribed anew. */
  #drop(route: Route): void {
    if (route.subscribers.size > 0) return;
    if (this.#byFilter.get(route.filter) === route) this.#byFilter.delete(route.filter);
    for (const id of route.ids) this.#byId.delete(id);
  }

  async #forget(filter: string): Promise<void> {
    await this.#link?.unsubscribe(filter);
    if (!this.#link?.isOpen) this.#stale.add(filter);
  }

  #name(route: Route, id: number): void {
    route.ids.push(id);
    this.#byId.set(id, route);
    if (route.ids.length > MAX_IDS_PER_FILTER) this.#byId.delete(route.ids.shift() as number);
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % MAX_ID) + 1;
    while (this.#byId.has(this.#lastId));
    return this.#lastId;
  }
}

function handOver(route: Route, id: number | undefined, topic: string, payload: Buffer, packet: IPublishPacket): void {
  // Of several for one filter, only those of the latest SUBSCRIBE have not had what is retained.
  const newest = packet.retain ? (id ?? route.grantedId ?? route.ids.at(-1)) : undefined;
  for (const subscriber of route.subscribers) {
    if (newest === undefined || subscriber.id === newest) subscriber.taker(topic, payload, packet);
  }
}

function ignore(): void {}
