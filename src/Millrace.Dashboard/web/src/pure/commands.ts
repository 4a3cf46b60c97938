/** A shell word: quoted when it is not plain. */
export function shellWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** The request behind a view, as a command. The login stays with the reader: no cookie is copied. */
export function curl(url: string): string {
  return `curl -sS --fail-with-body ${shellWord(url)}`;
}

/** A command of the tool, with its words quoted. */
export function millrace(...words: string[]): string {
  return ["millrace", ...words.map(shellWord)].join(" ");
}
