import type { WorldName } from "./plan.ts";
import type { WorldOptions } from "./world.ts";

/** Something that is wrong on purpose, and how the checks say so. */
export interface WrongVariant {
  readonly world: WorldName;
  readonly options: WorldOptions;
  readonly noticed: RegExp;
}
