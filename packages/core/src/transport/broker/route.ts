import { type Hop, silentHop } from "../hello.ts";
import type { Destination } from "./broker.ts";
import { Canary } from "./canary.ts";

/** Where the calls of one client go, and what is known of whoever answers there. */
export interface Route {
  /** Where a call of this operation opens. */
  opens(type: string): Destination;
  /** Where a cancel goes as long as nobody has said who has the call. */
  readonly everybody: Destination;
  readonly canary: Canary;
  /** What the answering side bears. */
  readonly hop: Hop;
  /** Whether an answer comes from whom it must, as far as the broker vouches for it: from the identity that answered first. */
  admits(principal: string | undefined): boolean;
}

/** A {@link Route} whose other end has yet to say what it bears. */
export interface AgentRoute extends Route {
  hop: Hop;
}

/** To any one replica of an agent. */
export function agentRoute(name: string): AgentRoute {
  let known: string | undefined;
  return {
    opens: (type) => ({ to: "agent", name, type }),
    everybody: { to: "replicas", name },
    canary: new Canary(),
    hop: silentHop,
    admits(principal) {
      known ??= principal;
      return principal === known;
    },
  };
}

/** Back to the process that has called. */
export function inboxRoute(name: string, hop: Hop, principal: string | undefined): Route {
  const inbox: Destination = { to: "inbox", name };
  return { opens: () => inbox, everybody: inbox, canary: new Canary(), hop, admits: (other) => other === principal };
}
