/** A piece of text to show: as it is, or the code of a character that would hide, reorder or break what stands around it. */
export interface Piece {
  text: string;
  isCode: boolean;
}

// C0 and C1 controls but tab and newline, bidirectional marks and isolates, zero-width characters, line separators, the byte-order mark,
// lone surrogates and tag characters. Zero-width joiners stay: emoji and several scripts need them.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Cuts hostile text into pieces in which nothing is hidden. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(hidden)) {
    // A carriage return before a newline is only how some systems end a line.
    if (match[0] === "\r" && text[match.index + 1] === "\n") {
      if (match.index > from) found.push({ text: text.slice(from, match.index), isCode: false });
      from = match.index + 1;
      continue;
    }
    if (match.index > from) found.push({ text: text.slice(from, match.index), isCode: false });
    found.push({ text: code(match[0]), isCode: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), isCode: false });
  return found;
}

/** The same as one string, for attributes and places without markup. */
export function visible(text: string): string {
  return pieces(text).map(p => p.text).join("");
}

function code(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  return `⟨U+${point.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
