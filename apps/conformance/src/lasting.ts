import {
  type Connection,
  type ConnectOptions,
  type ReconnectingConnection,
  type ReconnectingTransport,
  type ReconnectOptions,
  reconnecting,
  type StateChange,
  type Transport,
} from "@parley/core/transport";

/** Lets the connections of a transport come back, as `reconnecting` of core does. */
export type Reconnecting = (transport: Transport, options?: ReconnectOptions) => ReconnectingTransport;

/** What {@link dialLasting} needs to know. */
export interface LastingInit {
  readonly transport: Transport;
  /** @default core's own */
  readonly reconnecting?: Reconnecting | undefined;
  /** Dials once. */
  dial(url: URL, options: ConnectOptions): Promise<Connection>;
  readonly url: URL;
  readonly options: ConnectOptions;
  readonly reconnect: ReconnectOptions;
}

/** A connection that comes back after a cut, and what it did for that. */
export interface Lasting {
  readonly connection: ReconnectingConnection;
  /** All changes of its state so far. */
  readonly changes: readonly StateChange[];
  /** How often it was dialled so far. */
  readonly dials: number;
  /** Told of each change from now on, at once. */
  onChange: ((change: StateChange) => void) | undefined;
}

/** Dials a connection that comes back. */
export async function dialLasting(init: LastingInit): Promise<Lasting> {
  const { transport, reconnecting: again = reconnecting, dial, url, options, reconnect } = init;
  let dials = 0;
  const counted: Transport = {
    ...transport,
    connect(to, how = {}) {
      dials++;
      return dial(to, how);
    },
  };
  const connection = await again(counted, reconnect).connect(url, options);
  const changes: StateChange[] = [];
  const lasting: Lasting = {
    connection,
    changes,
    get dials() {
      return dials;
    },
    onChange: undefined,
  };
  connection.onState((change) => {
    changes.push(change);
    lasting.onChange?.(change);
  });
  return lasting;
}
