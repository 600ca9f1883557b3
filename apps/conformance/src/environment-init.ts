import type { Connection, ConnectOptions, ReconnectOptions, Transport } from "@parley/core/transport";
import type { LackingBroker } from "./brokers/broker.ts";
import type { OwnBroker, OwnBrokerOptions } from "./brokers/own-broker.ts";
import type { SecuredPlace } from "./brokers/secured-place.ts";
import type { History } from "./history.ts";
import type { Reconnecting } from "./lasting.ts";
import type { Profile } from "./profile.ts";
import type { Serving } from "./serving/control.ts";
import type { ChildProgram, Tapping, Tuning } from "./subject.ts";
import type { Tap } from "./tap/tap.ts";

/** What one run of a scenario is made from. */
export interface EnvironmentInit {
  readonly scenario: string;
  readonly seed: string;
  readonly transport: Transport;
  /** Makes the transport anew, tuned. */
  readonly tuned: (tuning: Tuning) => Transport;
  /** URL of the subject's module, if it has one. */
  readonly module: string | undefined;
  readonly serving: Serving;
  readonly tap: Tap;
  /** Only where nothing can stand between the two sides: gives what to fail with. */
  readonly noRelay?: (() => Error) | undefined;
  readonly history: History;
  /** T, ms. */
  readonly t: number;
  readonly scale: number;
  readonly profile: Profile;
  readonly tapping: Tapping;
  readonly shared: boolean;
  /** Each connection has a serving process of its own. */
  readonly children: boolean;
  /** There is a broker between the two sides. */
  readonly brokered: boolean;
  /** Dials, as this wire is dialled; with a transport made anew where that is to be tuned. */
  dial(url: URL, options: ConnectOptions, tuning: Tuning | undefined): Promise<Connection>;
  /** Dials a program in place of the fixture; only where the serving side is a child. */
  dialProgram(program: ChildProgram, options: ConnectOptions, tuning: Tuning | undefined): Promise<Connection>;
  /** Starts a broker of the scenario's own. @throws MissingBroker when there is no program for it. */
  ownBroker(options: OwnBrokerOptions | undefined): Promise<OwnBroker>;
  /** The broker that lets in only whom it knows, which all scenarios share. @throws MissingBroker when there is no program for it. */
  securedBroker(): Promise<SecuredPlace>;
  /** Starts what answers as brokers that lack something; none where the suite knows of nothing. */
  lackingBrokers(): Promise<readonly LackingBroker[]>;
  /** Where the serving side listens with TLS, if it can. */
  readonly secure: string | undefined;
  /** Callers can show a bearer token, and the handler sees it. */
  readonly tokens: boolean;
  /** How connections come back, if not as core lets them. */
  readonly reconnecting?: Reconnecting | undefined;
}

/** How to dial. */
export interface DialOptions extends Pick<ConnectOptions, "handler" | "connectTimeoutMs" | "log"> {
  /** @default the fixture's listener, through the tap */
  readonly url?: URL;
  /** Dials with a transport made so. */
  readonly tuning?: Tuning | undefined;
  /** A program that is started and dialled in place of the fixture; only where the serving side is a child. */
  readonly program?: ChildProgram | undefined;
}

/** How to dial a connection that comes back. */
export interface LastingOptions extends DialOptions {
  readonly reconnect?: ReconnectOptions;
}
