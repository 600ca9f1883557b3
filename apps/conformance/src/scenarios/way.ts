import type { Environment } from "../environment.ts";
import type { ListenRequest } from "../serving/control.ts";

/** How an open connection is cut: orderly, or hard. */
export type Cut = "fin" | "rst";

/** The way to a listener of the fixture, in the hands of the suite: a bad link before a wire over TCP, the tap of one within a process. */
export interface Way {
  /** The address to dial. */
  readonly url: URL;
  /** That of the listener itself. */
  readonly listener: URL;
  /** Connections that were begun so far, those that came to nothing included. */
  readonly attempts: number;
  /** Ends every open connection. New ones are let through. */
  cut(how: Cut): void;
  /** Ends every open connection, and from now on each new one as it begins. */
  block(): void;
  /** What the listener says is lost from now on. */
  deafen(): void;
  /** What both say is let through again. */
  clear(): void;
  /** Keeps back what the listener says, on connections that are opened from now on, until {@link Way.release}. */
  hold(): void;
  release(): void;
}

/** Opens a listener of the fixture, and the way to it. */
export async function wayTo(env: Environment, request: Omit<ListenRequest, "relay" | "upstream"> = {}): Promise<Way> {
  const listener = await env.listen(request);
  return env.tapping === "in-process" ? wayThroughTap(env, listener) : wayByProxy(env, listener);
}

async function wayThroughTap({ tap }: Environment, listener: URL): Promise<Way> {
  return {
    url: await tap.through(listener),
    listener,
    get attempts() {
      return tap.connections;
    },
    cut: (how) => tap.cut(how),
    block() {
      tap.rewrite(() => "cut");
      tap.cut("rst");
    },
    deafen: () => tap.rewrite((_, from) => (from === "listener" ? [] : undefined)),
    clear: () => tap.rewrite(undefined),
    hold: () => tap.hold("listener"),
    release: () => tap.release("listener"),
  };
}

async function wayByProxy(env: Environment, listener: URL): Promise<Way> {
  const proxy = await env.proxy(await env.tap.through(listener));
  return {
    url: proxy.url(listener),
    listener,
    get attempts() {
      return proxy.connections;
    },
    cut: (how) => proxy.cut(how),
    block() {
      proxy.set({ dialler: { cutAfterBytes: 0, cut: "rst" } });
      proxy.cut("rst");
    },
    deafen: () => proxy.set({ listener: { drop: true } }),
    clear: () => proxy.set({}),
    hold: () => env.tap.hold("listener"),
    release: () => env.tap.release("listener"),
  };
}
