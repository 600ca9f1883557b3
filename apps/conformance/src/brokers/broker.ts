/** A kind of broker that wires may need. The suite uses one that runs, or starts one of its own. */
export interface BrokerKind {
  /** As in "needs an MQTT broker": `an MQTT broker`. */
  readonly title: string;
  /** Where one usually runs, `mqtt://127.0.0.1:1883`. */
  readonly usual: string;
  /** How to get one, in a sentence for whoever has none. */
  readonly help: string;
  /** Whether a broker of this kind answers there, found out within a second. */
  answers(url: URL): Promise<boolean>;
  /**
   * Starts a broker in a process of its own on a port of 127.0.0.1; `undefined` if there is no program here that could be started.
   * @throws Error when there is one and it does not start.
   */
  start(options: BrokerStart): Promise<RunningBroker | undefined>;
  /** What the broker there says of itself, name and version; nothing if it says nothing. */
  identify?(url: URL): Promise<FoundBroker | undefined>;
  /** The same as {@link start} of one that can less, for where there is no other. */
  startLesser?(options: BrokerStart): Promise<RunningBroker | undefined>;
  /** Starts, in this process, what answers as brokers that lack something which calls need. */
  lacking?(): Promise<readonly LackingBroker[]>;
  /**
   * Starts a broker that lets in only whom it knows, and holds each to what they may.
   * @throws MissingBroker when there is no program here that can be held to that, with what is missing.
   */
  secured?: ((security: BrokerSecurity) => Promise<SecuredBroker>) | undefined;
}

/** Which broker stands between the two sides. */
export interface FoundBroker {
  /** `mosquitto`; of one that says nothing, what kind it is. */
  readonly name: string;
  readonly version?: string;
}

/** How a broker is to be that lets in only whom it knows. */
export interface BrokerSecurity {
  /** By name. */
  readonly doors: Readonly<Record<string, BrokerDoor>>;
  readonly users: readonly BrokerUser[];
}

/** Where users come in, with TLS. */
export interface BrokerDoor {
  /** The broker's own certificate there, and its key; PEM. */
  readonly server: { readonly cert: string; readonly key: string };
  /** Users show a certificate of this authority, whose common name is theirs; PEM. @default they say name and password */
  readonly authority?: string;
}

/** Whom a broker knows, and what they may. */
export interface BrokerUser {
  readonly name: string;
  readonly password: string;
  /** Types of the calls that they may make to agents, in their own name. @default none */
  readonly calls?: readonly string[];
  /** What they may publish to and subscribe to; a filter. @default nothing */
  readonly topics?: string;
  /** Answers calls to agents. @default false */
  readonly serves?: boolean;
}

/** A broker that lets in only whom it knows. */
export interface SecuredBroker {
  /** Its address at a door. */
  door(name: string): URL;
  /** From now on the user's password is this one, and no other. */
  renew(user: string, password: string): Promise<void>;
  /** Puts a user out, and lets them in no more until they are renewed. Resolves when that is so. */
  shutOut(user: string): Promise<void>;
  /** Ends it for good. Idempotent. */
  end(): Promise<void>;
}

/** What a broker takes. */
export interface BrokerLimits {
  readonly maxMessageBytes: number;
  /** Confirmed messages that one client may have on their way at a time. */
  readonly maxInFlight: number;
}

/** Something that answers as a broker without a feature. */
export interface LackingBroker {
  readonly url: URL;
  /** How an error names what is missing. */
  readonly feature: RegExp;
  /** Whether anybody has come to it. */
  met(): boolean;
  close(): Promise<void>;
}

/** What a broker holds for its clients. */
export interface Holdings {
  readonly clients: number;
  readonly subscriptions: number;
  readonly retained: number;
}

/** How to start a broker. */
export interface BrokerStart {
  /** @default one that is free */
  readonly port?: number | undefined;
  /** An empty directory of the suite's, where it may keep what must outlive it; without one it forgets all when it ends. */
  readonly directory?: string | undefined;
  /** What it is to take, where it can be told. @default its own */
  readonly limits?: BrokerLimits | undefined;
}

/** A broker of the suite's own. */
export interface RunningBroker {
  /** `mqtt://127.0.0.1:40123`. */
  readonly url: URL;
  readonly pid: number;
  /** Name of the program. */
  readonly program: string;
  /** Its version, if it cannot be asked for it. */
  readonly version?: string | undefined;
  /** Whether it keeps to the limits that it was given. */
  readonly limited: boolean;
  /** What it says that it holds; it may be a second behind. */
  holds(): Promise<Holdings>;
  /** Ends it: `SIGKILL` as a crash would, `SIGTERM` in good order. Resolves when it is gone. Idempotent. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}
