import { loadContender } from "../contenders/load.ts";
import type { ContenderName } from "../plan.ts";

/** The serving side of a contender over stdio. Ends with its stdin. */
const [name] = process.argv.slice(2) as [ContenderName]; // from stdioCommand
const contender = await loadContender("stdio", name);
await contender.serve(undefined);
