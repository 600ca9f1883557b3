import { AuthenticationError, ParleyError } from "../../call/error.ts";
import { sessionId } from "../../envelope/id.ts";
import type { RuntimeParts } from "../../runtime/runtime.ts";
import type { SessionHome } from "./home.ts";
import type { Resumable } from "./resumable.ts";

/** Bounds of the sessions of a listener. */
export interface SessionsOptions {
  /**
   * Sessions at one time. At the bound one that waits for its peer makes room: the oldest of those whose peer nobody has authenticated, then the
   * oldest. Where none waits, a new connection has none. @default 10_000
   */
  readonly maxSessions?: number | undefined;
  /**
   * Sessions of one authenticated peer that wait for it; beyond that the oldest goes. Those of peers that nobody has authenticated have no bound
   * of their own, since an address may be that of a relay that all of them are behind, and make room first. @default 100
   */
  readonly maxDetachedPerPrincipal?: number | undefined;
  /** What the sessions that wait keep together, UTF-16 code units; beyond that one makes room as above. @default 64 Mi */
  readonly maxReplayChars?: number | undefined;
  /** How long one waits whose peer has never used it, ms. @default 10_000 */
  readonly unconfirmedMs?: number | undefined;
}

/** What a peer says of the session that it wants to resume. */
export interface Claim {
  readonly id: string;
  readonly generation: number;
  readonly principal: string | undefined;
}

/** A session in the store. */
export interface SessionEntry extends SessionHome {
  readonly id: string;
  readonly generation: number;
  readonly holder: Resumable;
}

/** The sessions of one listener, by their names. */
export class Sessions {
  /** Names the life of this store: what a peer was told in another is not known here. */
  readonly epoch: string;
  readonly unconfirmedMs: number;
  readonly #maxSessions: number;
  readonly #maxDetachedPerPrincipal: number;
  readonly #maxReplayChars: number;
  readonly #runtime: Pick<RuntimeParts, "date" | "randomBytes">;
  readonly #entries = new Map<string, Entry>();
  /** Those that wait for their peer, the oldest first; and the same by principal. */
  readonly #waiting = new Set<Entry>();
  readonly #waitingBy = new Map<string | undefined, Set<Entry>>();
  #replayChars = 0;

  constructor(options: SessionsOptions, runtime: Pick<RuntimeParts, "date" | "randomBytes">) {
    const { maxSessions = 10_000, maxDetachedPerPrincipal = 100, unconfirmedMs = 10_000 } = options;
    this.#runtime = runtime;
    this.#maxSessions = maxSessions;
    this.#maxDetachedPerPrincipal = maxDetachedPerPrincipal;
    this.#maxReplayChars = options.maxReplayChars ?? 64 * 1024 * 1024;
    this.unconfirmedMs = unconfirmedMs;
    this.epoch = sessionId(runtime);
  }

  /** A name for a new session; undefined when there is no room for one. */
  name(): string | undefined {
    if (this.#entries.size >= this.#maxSessions) this.#evict("there are too many sessions");
    return this.#entries.size < this.#maxSessions ? sessionId(this.#runtime) : undefined;
  }

  /** Takes a new session in. */
  add(id: string, holder: Resumable, principal: string | undefined): SessionEntry {
    const entry = new Entry(this, id, holder, principal);
    this.#entries.set(id, entry);
    return entry;
  }

  /**
   * The session that a peer wants to resume, which is the peer's from now on; undefined when it is not known.
   * @throws ParleyError `permission_denied` for a session of somebody else; `aborted` when it was resumed since, by a greater generation
   */
  claim({ id, generation, principal }: Claim): SessionEntry | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    if (entry.principal !== principal) {
      throw new AuthenticationError("permission_denied", "the session belongs to somebody else", {
        outcome: "not-sent",
      });
    }
    if (generation <= entry.generation) {
      const message = `the session was resumed ${entry.generation} times already, and not ${generation}`;
      throw new ParleyError("aborted", message, { outcome: "not-sent" });
    }
    entry.generation = generation;
    return entry;
  }

  detached(entry: Entry): void {
    this.#waiting.add(entry);
    const { principal } = entry;
    const own = this.#waitingBy.get(principal) ?? new Set();
    this.#waitingBy.set(principal, own.add(entry));
    this.kept(entry, entry.holder.session.chars);
    if (principal === undefined || own.size <= this.#maxDetachedPerPrincipal) return;
    const [oldest] = own;
    oldest?.holder.lose(evicted(`over ${this.#maxDetachedPerPrincipal} sessions of one peer wait`));
  }

  kept(entry: Entry, chars: number): void {
    entry.chars += chars;
    this.#replayChars += chars;
    while (this.#replayChars > this.#maxReplayChars && this.#waiting.size > 0) {
      this.#evict(`the sessions that wait keep over ${this.#maxReplayChars} characters`);
    }
  }

  attached(entry: Entry): void {
    if (!this.#waiting.delete(entry)) return;
    this.#replayChars -= entry.chars;
    entry.chars = 0;
    const own = this.#waitingBy.get(entry.principal);
    if (own?.delete(entry) && own.size === 0) this.#waitingBy.delete(entry.principal);
  }

  over(entry: Entry): void {
    this.attached(entry);
    this.#entries.delete(entry.id);
  }

  #evict(why: string): void {
    // Whoever can come under any number of names must not drive out those who cannot.
    const [oldest] = this.#waitingBy.get(undefined) ?? this.#waiting;
    if (!oldest) return;
    this.over(oldest);
    oldest.holder.lose(evicted(why));
  }
}

class Entry implements SessionEntry {
  readonly #sessions: Sessions;
  readonly id: string;
  readonly holder: Resumable;
  readonly principal: string | undefined;
  generation = 1;
  chars = 0;

  constructor(sessions: Sessions, id: string, holder: Resumable, principal: string | undefined) {
    this.#sessions = sessions;
    this.id = id;
    this.holder = holder;
    this.principal = principal;
  }

  detached(): void {
    this.#sessions.detached(this);
  }

  kept(chars: number): void {
    this.#sessions.kept(this, chars);
  }

  attached(): void {
    this.#sessions.attached(this);
  }

  progressed(): void {}

  over(): void {
    this.#sessions.over(this);
  }
}

function evicted(why: string): ParleyError {
  return new ParleyError("data_loss", `the session was given up while its peer was away: ${why}`, {
    outcome: "unknown",
  });
}
