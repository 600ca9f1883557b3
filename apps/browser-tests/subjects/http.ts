import type { Subject } from "@parley/conformance";
import { http as listening } from "@parley/transport-http";
import { http as dialling } from "../../../packages/transport-http/src/browser/index.ts";
import { browserSubject } from "./subject.ts";

export const subject: Subject = browserSubject({ name: "http", tapping: "http", dialling, listening });
