/**
 * Takes passwords in URLs out of what the system shows of this process, as `ps` and /proc/PID/cmdline do: every user of the machine
 * can read that. Until this has run they could, so a password belongs into the environment: QSTREAM_STORE.
 */
export function hidePasswords(argv: readonly string[]): void {
  const shown = argv.map((word) => word.replace(/^([\w=-]*\w+:\/\/[^/@:]*):[^/]*@/u, "$1:***@"));
  if (shown.some((word, index) => word !== argv[index])) process.title = shown.join(" ");
}
