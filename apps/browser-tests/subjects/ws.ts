import type { Subject } from "@parley/conformance";
import { ws as listening } from "@parley/transport-ws";
import { ws as dialling } from "../../../packages/transport-ws/src/browser/index.ts";
import { browserSubject } from "./subject.ts";

export const subject: Subject = browserSubject({ name: "ws", tapping: "websocket", dialling, listening });
