import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { TcpProxy, TcpProxyOptions } from "../faults/tcp-proxy.ts";
import type { Tuning } from "../subject.ts";

/** A listener of the fixture behind a bad link of its own. */
export interface Link {
  readonly proxy: TcpProxy;
  /** The address to dial. */
  readonly url: URL;
  /** Dials through the link; the suite closes the connection at the end. @throws Finding when that does not go well */
  connect(): Promise<Connection>;
  /** Dials through the link, and leaves it to the scenario to see what comes of it. */
  dial(): Promise<Connection>;
  /** The same link by another proxy, so that connections at the same time have each their own faults. */
  beside(): Promise<Link>;
}

/**
 * How calls end that a link has cost. Where a wire has sessions they are kept until the link is back, and so are given a deadline here: they
 * may also end by that, or with their true result.
 */
export function lostCalls(
  { manifest }: Environment,
  limitMs: number,
): { readonly timeoutMs?: number; readonly codes: readonly string[]; readonly resumed: boolean } {
  if (manifest.resume === "none") return { codes: ["unavailable"], resumed: false };
  return { timeoutMs: limitMs, codes: ["unavailable", "deadline_exceeded", "data_loss"], resumed: true };
}

/** A keepalive that is soon over. That of MQTT counts seconds (MQTT 5, 3.1.2.10), and a child takes its time to start. */
export function shortHeartbeatMs({ t, children, manifest }: Environment): number {
  return t / (children || manifest.broker ? 2 : 4);
}

/** Opens a listener behind a bad link. */
export async function linkTo(
  env: Environment,
  { tuning, ...options }: TcpProxyOptions & { readonly tuning?: Tuning } = {},
): Promise<Link> {
  const listener = await env.listen({ tuning });
  const link = async (): Promise<Link> => {
    const proxy = await env.proxy(listener, options);
    const url = proxy.url(listener);
    return {
      proxy,
      url,
      connect: () => env.within("connect()", env.dial({ url, tuning, connectTimeoutMs: 3 * env.t }), 4 * env.t),
      dial: () => env.dial({ url, tuning }),
      beside: link,
    };
  };
  return link();
}
