import { ParleyError } from "@parley/core/transport";
import { shortened } from "../wire/status.ts";
import type { ServiceMethods } from "./service-method.ts";

/** Where it is known what a server's services look like. */
export interface DefinitionSource {
  /** A service that was loaded before. */
  find(service: string): ServiceMethods | undefined;
  /**
   * Loads what describes a service, if that has not been done; once for all who ask at the same time.
   * @throws ParleyError `not-sent`; `unimplemented` when there is no such service
   */
  load(service: string): Promise<ServiceMethods>;
  /** Full names of all services. @throws ParleyError `not-sent` */
  services(): Promise<readonly string[]>;
}

/** Names that are shown in an error. */
const MAX_SHOWN = 10;

/** @param where what was looked at, as the beginning of a sentence */
export function noService(where: string, service: string, services: readonly string[]): ParleyError {
  const others = services.length > MAX_SHOWN ? `, and ${services.length - MAX_SHOWN} more` : "";
  const has = services.length === 0 ? "none at all" : `${services.slice(0, MAX_SHOWN).join(", ")}${others}`;
  return new ParleyError("unimplemented", `${where} has no service ${service}; it has ${shortened(has)}`, {
    outcome: "not-sent",
  });
}
