import { type OpenSocket, socketOpener } from "@parley/core/http";
import { buildConnector, Client } from "undici";

/** Opens the sockets of all requests that this package makes. */
export const openSocket: OpenSocket = socketOpener({ Client, buildConnector });
