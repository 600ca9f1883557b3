import { type Login, type Presenter, presenterOf } from "@parley/core/transport";
import type { LinkInit } from "./link-init.ts";
import type { MqttLinkOptions } from "./options.ts";

/** What {@link loggedIn} takes. */
export interface LoginInit extends Pick<LinkInit, "connectTimeoutMs" | "signal" | "runtime"> {
  readonly credentials: MqttLinkOptions["credentials"];
}

/**
 * Opens something with what the credentials show, if there are any; when the broker refuses that, once more with another.
 * @param open gets what to log in with, and the time that is left for it, ms
 * @throws ParleyError what `open` fails with; `not-sent` when the credentials are not there in time
 */
export async function loggedIn<Opened>(
  { credentials, connectTimeoutMs, signal, runtime }: LoginInit,
  open: (login: Login | undefined, connectTimeoutMs: number) => Promise<Opened>,
): Promise<Opened> {
  const presenter: Presenter | undefined = presenterOf(credentials);
  if (!presenter) return open(undefined, connectTimeoutMs);
  return presenter.dial(async () => {
    const begun = runtime.now();
    const credential = await presenter.presentWithin({ timeoutMs: connectTimeoutMs, signal, runtime });
    return open(credential.login(), begun + connectTimeoutMs - runtime.now());
  });
}
