// npm run build: installs and compiles what is missing.

import { ensureAll } from "./ensure.mjs";

process.exit((await ensureAll()) ? 0 : 1);
