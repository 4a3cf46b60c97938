export interface Place {
  kind: string;
  name: string;
  href: string;
}

/** Places whose name holds what was typed, or its letters in order; better fits first. */
export function find(places: Place[], typed: string): Place[] {
  if (typed === "") return places;
  return places
    .map((place, i) => ({ place, i, score: score(place.name.toLowerCase(), typed.toLowerCase()) }))
    .filter(x => x.score > 0)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map(x => x.place);
}

function score(name: string, typed: string): number {
  if (name === typed) return 4;
  if (name.startsWith(typed)) return 3;
  if (name.includes(typed)) return 2;
  let at = 0;
  for (const letter of typed) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) return 0;
  }
  return 1;
}
